// "Use these settings" of an example: its form takes them, as it takes those of a result. "Try this clip": its box does.
(() => {
  const say = (button, words) => {
    const said = button.dataset.said ??= button.textContent;
    button.textContent = words;
    setTimeout(() => { button.textContent = said; }, 2500);
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.(".example-clip");
    if (!button) return;
    const { form, file } = button.dataset, place = document.querySelector(`#${form}-clip`);
    const answer = await fetch(`examples/${file}`);
    if (!place || !answer.ok) return;
    if (await window.auralumeGive(place, answer.blob(), file)) say(button, "The clip is there");
  });
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.(".example-settings");
    if (!button) return;
    const { form, file } = button.dataset, field = document.querySelector(`#${form}-open textarea, #${form}-open input`);
    if (!field) return;
    window.auralumeFill(field, `example:${file} ${Date.now()}`);
    say(button, "Settings are set");
  });
  // one example is heard at a time
  document.addEventListener("play", (event) => {
    if (!event.target.closest?.(".example")) return;
    document.querySelectorAll("audio, video").forEach((each) => { if (each !== event.target) each.pause(); });
  }, true);
})();
