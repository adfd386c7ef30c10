// "Use these settings" of an example: its form takes them, as it takes those of a result.
(() => {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.(".example-settings");
    if (!button) return;
    const { form, file } = button.dataset, field = document.querySelector(`#${form}-open textarea, #${form}-open input`);
    if (!field) return;
    window.auralumeFill(field, `example:${file} ${Date.now()}`);
    const said = button.textContent;
    button.textContent = "Settings are set";
    setTimeout(() => { button.textContent = said; }, 2500);
  });
  // one example is heard at a time
  document.addEventListener("play", (event) => {
    if (!event.target.closest?.(".example")) return;
    document.querySelectorAll("audio, video").forEach((each) => { if (each !== event.target) each.pause(); });
  }, true);
})();
