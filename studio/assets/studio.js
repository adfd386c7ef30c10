// The page's own script: Ctrl+Enter, light and dark, words and plots that follow the sound. No library, no request.
(() => {
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const visible = (element) => element && element.offsetParent !== null;

  // Ctrl+Enter (or Cmd+Enter) presses the Generate button of the tab that is open.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    const button = all("button.generate-button, .generate-button button").find((each) => visible(each) && !each.disabled);
    if (!button) return;
    event.preventDefault();
    document.activeElement?.dispatchEvent(new Event("input", { bubbles: true }));
    setTimeout(() => button.click(), 0);
  }, true);

  // Gradio hears of a text by its key presses alone: what is pasted, deleted, dropped or dictated counts as typed, too.
  let pressedIn = null;
  document.addEventListener("keypress", (event) => { pressedIn = event.target; setTimeout(() => { pressedIn = null; }); }, true);
  document.addEventListener("input", (event) => {
    const field = event.target;
    if (pressedIn !== field && field.matches?.("[data-testid=textbox]")) field.dispatchEvent(new KeyboardEvent("keypress", { bubbles: true, key: "Unidentified" }));
  });

  // A result that is taller than the window sticks with its lower end, a smaller one with its upper end.
  const tall = new ResizeObserver((entries) => entries.forEach((each) => each.target.style.setProperty("--tall", `${Math.ceil(each.target.offsetHeight)}px`)));
  const known = new WeakSet();
  const stick = () => all(".workbench > .result").forEach((each) => { if (!known.has(each)) { known.add(each); tall.observe(each); } });

  // Light and dark, remembered in this browser.
  const remembered = () => { try { return localStorage.getItem("auralume-theme"); } catch { return null; } };
  const apply = () => { const mode = remembered(); if (mode) document.body?.classList.toggle("dark", mode === "dark"); };
  const keepTheme = () => {
    apply();
    new MutationObserver(apply).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", keepTheme);
  else keepTheme();
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("#theme-switch")) return;
    const dark = !document.body.classList.contains("dark");
    try { localStorage.setItem("auralume-theme", dark ? "dark" : "light"); } catch { /* private window */ }
    document.body.classList.toggle("dark", dark);
  });

  // The word that is heard lights up, and a line moves over the plots.
  const player = () => all("#speech-player audio, #music-player audio, #mv-player audio").find((each) => visible(each.closest(".player")));
  const number = (element, name) => parseFloat(element.dataset[name]);
  function follow() {
    const audio = player();
    if (!audio) return;
    const now = audio.currentTime;
    for (const word of all("#speech-words [data-start]")) {
      const heard = !audio.ended && now > 0 && now >= number(word, "start") && now < number(word, "end");
      if (heard !== word.classList.contains("heard")) {
        word.classList.toggle("heard", heard);
        const box = word.closest(".words");
        if (heard && box && (word.offsetTop < box.scrollTop || word.offsetTop > box.scrollTop + box.clientHeight - 40))
          box.scrollTop = word.offsetTop - box.clientHeight / 2;
      }
    }
    for (const panel of all(".panels[data-follow] > .panel")) {
      const heard = now >= number(panel, "start") && now < number(panel, "end");
      if (heard && !audio.paused) show(panel);
    }
    for (const line of all(".playhead[data-end]")) {
      const share = (now - number(line, "start")) / (number(line, "end") - number(line, "start"));
      line.classList.toggle("on", now > 0 && share >= 0 && share <= 1 && !audio.ended);
      line.style.left = `${Math.min(100, Math.max(0, share * 100))}%`;
    }
  }
  function show(panel) {
    const group = panel.parentElement;
    if (panel.classList.contains("shown")) return;
    const panels = all(":scope > .panel", group);
    panels.forEach((each) => each.classList.toggle("shown", each === panel));
    all(".picker button", group.parentElement).forEach((each, at) => each.classList.toggle("shown", panels[at] === panel));
  }
  let ticking = false;
  const tick = () => { const audio = player(); follow(); if (audio && !audio.paused && !audio.ended) requestAnimationFrame(() => setTimeout(tick, 50)); else ticking = false; };
  const start = () => { if (!ticking) { ticking = true; tick(); } };
  for (const name of ["play", "playing", "timeupdate", "seeked", "ended", "pause"]) document.addEventListener(name, start, true);

  document.addEventListener("click", (event) => {
    const word = event.target.closest?.("#speech-words [data-start]");
    const audio = player();
    if (word && audio) { audio.currentTime = number(word, "start") + 0.01; audio.play()?.catch(() => {}); return; }
    const pick = event.target.closest?.(".picker button");
    if (pick) { const panels = all(":scope > .panels > .panel", pick.closest(".plot")); const panel = panels[+pick.dataset.panel]; if (panel) show(panel); }
    if (event.target.closest?.(".stop-button")) audio?.pause();
  });

  // The original and the styled clip play together; the original is silent, so that the sound is heard once.
  const pair = () => ["#style-original video", "#style-result video"].map((selector) => document.querySelector(selector));
  let together = false;
  for (const name of ["play", "pause", "seeked", "ratechange"]) document.addEventListener(name, (event) => {
    const [original, result] = pair();
    if (!original || !result || together || (event.target !== original && event.target !== result)) return;
    const other = event.target === original ? result : original;
    together = true;
    original.muted = true;
    other.playbackRate = event.target.playbackRate;
    if (Math.abs(other.currentTime - event.target.currentTime) > 0.05) other.currentTime = event.target.currentTime;
    if (name === "play") other.play()?.catch(() => {});
    if (name === "pause" && !event.target.ended) other.pause();
    setTimeout(() => { together = false; }, 120);
  }, true);

  // Original and restyled sound: both run together and one is heard. Their files are links of hidden parts of the page.
  const takes = () => all(".takes audio");
  const hear = (one) => takes().forEach((each) => { each.muted = each !== one; each.parentElement.classList.toggle("heard", each === one); });
  function fill() {
    for (const audio of takes()) {
      const link = document.querySelector(`#${audio.dataset.of} a[href]`)?.href ?? "";
      if (link === (audio.getAttribute("src") ?? "")) continue;
      const [at, plays] = [audio.currentTime, !audio.paused];
      if (link) audio.src = link; else audio.removeAttribute("src");
      audio.load();
      audio.currentTime = at;
      if (plays && link) audio.play()?.catch(() => {});
      if (link && audio.dataset.of.endsWith("result")) hear(audio);
      audio.closest(".takes").toggleAttribute("data-empty", !link);
    }
  }
  let filling = 0;
  new MutationObserver(() => { clearTimeout(filling); filling = setTimeout(() => { fill(); stick(); }, 50); })
    .observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["href"] });
  let paired = false;
  for (const name of ["play", "pause", "seeked", "ratechange"]) document.addEventListener(name, (event) => {
    const audio = event.target, other = takes().find((each) => each !== audio);
    if (paired || !audio.closest?.(".takes") || !other) return;
    paired = true;
    if (Math.abs(other.currentTime - audio.currentTime) > 0.03) other.currentTime = audio.currentTime;
    other.playbackRate = audio.playbackRate;
    if (name === "play") { hear(audio); other.play()?.catch(() => {}); }
    if (name === "pause" && !audio.ended) other.pause();
    setTimeout(() => { paired = false; }, 120);
  }, true);
  document.addEventListener("volumechange", (event) => {
    if (event.target.closest?.(".takes") && !event.target.muted) hear(event.target);
  }, true);
  document.addEventListener("click", (event) => {
    if (event.target.closest?.(".takes .switch")) hear(takes().find((each) => each.muted));
  });

  // Music Video: a click on a beat chooses it; taps are times of the player.
  const setField = (selector, value) => window.auralumeFill(document.querySelector(selector), value);
  document.addEventListener("click", (event) => {
    const beat = event.target.closest?.("#mv-plot .beat");
    if (beat) {
      all("#mv-plot .beat.chosen").forEach((each) => each.classList.remove("chosen"));
      beat.classList.add("chosen");
      setField("#mv-beat input", beat.dataset.beat);
      return;
    }
    const ink = event.target.closest?.("#mv-plot .ink");
    const audio = document.querySelector("#mv-player audio");
    if (ink && audio?.duration) {
      const box = ink.getBoundingClientRect();
      audio.currentTime = ((event.clientX - box.left) / box.width) * number(ink.querySelector(".playhead"), "end");
    }
  });
  window.auralumeTap = () => {
    const audio = document.querySelector("#mv-player audio");
    if (!audio) return;
    if (audio.paused) { setField("#mv-taps textarea, #mv-taps input", ""); audio.play()?.catch(() => {}); return; }
    const field = document.querySelector("#mv-taps textarea, #mv-taps input");
    const taps = [...(field?.value ?? "").split(" ").filter(Boolean), audio.currentTime.toFixed(3)];
    setField("#mv-taps textarea, #mv-taps input", taps.join(" "));
    const button = document.querySelector("#mv-tap");
    if (button) button.textContent = `Tap (${taps.length})`;
  };
})();
