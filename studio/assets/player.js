// Players of the page's own, light and dark alike: every sound and film that asks for the browser's controls gets these.
(() => {
  const SHAPES = {
    play: "M8 5v14l11-7z", pause: "M7 5h4v14H7zM13 5h4v14h-4z", save: "M12 4v11M7 11l5 5 5-5M5 20h14",
    loud: "M4 9v6h4l5 4V5L8 9zM16 8.5a5 5 0 0 1 0 7M18.5 6a8.5 8.5 0 0 1 0 12", mute: "M4 9v6h4l5 4V5L8 9zM16 9.5l5 5M21 9.5l-5 5",
    wide: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  };
  const VOLUME = "auralume-volume", STEPS = 1000;
  const SVG = "http://www.w3.org/2000/svg";
  const bars = new WeakMap(); // of media
  const draw = (name, attributes) => { const found = document.createElementNS(SVG, name); for (const [key, value] of Object.entries(attributes)) found.setAttribute(key, value); return found; };
  const icon = (name) => { const svg = draw("svg", { viewBox: "0 0 24 24", "aria-hidden": "true", class: name }); svg.append(draw("path", { d: SHAPES[name] })); return svg; };
  const make = (tag, name, label) => { const found = document.createElement(tag); found.className = name; if (label) found.ariaLabel = label; if (tag === "button") found.type = "button"; return found; };
  const clock = (seconds) => { const whole = Math.max(0, Math.floor(seconds || 0)); return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`; };
  const remembered = () => { try { const kept = parseFloat(localStorage.getItem(VOLUME)); return kept >= 0 && kept <= 1 ? kept : 1; } catch { return 1; } };
  // a stream has no end yet: what has arrived is its length
  const lengthOf = (media) => (Number.isFinite(media.duration) ? media.duration : media.seekable.length ? media.seekable.end(media.seekable.length - 1) : 0);
  const isStream = (media) => !Number.isFinite(media.duration) && media.readyState > 0;
  const fileOf = (media) => { const from = media.currentSrc || media.src; return from && !from.startsWith("blob:") && !/\.m3u8?($|\?)/.test(from) ? from : ""; };

  function wave(peaks) {
    const loudest = Math.max(20, ...peaks), place = make("div", "peaks");
    const steps = peaks.map((peak, at) => { const tall = Math.max(3, (46 * peak) / loudest); return `M${at + 0.5} ${50 - tall}V${50 + tall}`; }).join("");
    for (const name of ["rest", "heard"]) {
      const svg = draw("svg", { viewBox: `0 0 ${peaks.length} 100`, preserveAspectRatio: "none", class: name, "aria-hidden": "true" });
      svg.append(draw("path", { d: steps }));
      place.append(svg);
    }
    return place;
  }

  function dress(media) {
    if (bars.has(media)) return;
    const isFilm = media instanceof HTMLVideoElement, called = media.ariaLabel || media.title || "";
    media.controls = false;
    const bar = make("div", `own-player ${isFilm ? "of-film" : "of-sound"}`, called ? `Player: ${called}` : "Player");
    bar.setAttribute("role", "group");
    const start = make("button", "start", "Play"), seek = make("input", "seek", "Position"), time = make("span", "time");
    const hush = make("button", "hush", "Mute"), loud = make("input", "volume", "Volume"), line = make("div", "line");
    Object.assign(seek, { type: "range", min: 0, max: STEPS, step: 1, value: 0 });
    Object.assign(loud, { type: "range", min: 0, max: 1, step: 0.05 });
    if (media.dataset.peaks) line.append(wave(media.dataset.peaks.split(",").map(Number)));
    line.append(seek);
    bar.append(start, line, time, hush, loud);
    if (isFilm && document.fullscreenEnabled) {
      const wide = make("button", "wide", "Full screen");
      wide.append(icon("wide"));
      wide.addEventListener("click", () => (document.fullscreenElement ? document.exitFullscreen() : media.requestFullscreen()));
      bar.append(wide);
    }
    const save = make("a", "save", "Download");
    save.append(icon("save"));
    if (media.dataset.save !== "no") bar.append(save);
    let held = false;
    const paint = () => {
      const length = lengthOf(media), share = length ? Math.min(1, media.currentTime / length) : 0, plays = !media.paused && !media.ended;
      if (!held) seek.value = Math.round(share * STEPS);
      line.style.setProperty("--at", `${(100 * share).toFixed(2)}%`);
      seek.setAttribute("aria-valuetext", `${clock(media.currentTime)} of ${clock(length)}`);
      time.textContent = length && !isStream(media) ? `${clock(media.currentTime)} / ${clock(length)}` : media.dataset.length && !length ? clock(Number(media.dataset.length)) : clock(media.currentTime);
      if (start.dataset.plays !== String(plays)) { start.dataset.plays = plays; start.ariaLabel = `${plays ? "Pause" : "Play"}${called ? ` ${called}` : ""}`; start.replaceChildren(icon(plays ? "pause" : "play")); }
      const silent = media.muted || media.volume === 0;
      if (hush.dataset.silent !== String(silent)) { hush.dataset.silent = silent; hush.ariaLabel = silent ? "Sound on" : "Mute"; hush.replaceChildren(icon(silent ? "mute" : "loud")); }
      loud.value = media.muted ? 0 : media.volume;
      loud.style.setProperty("--at", `${100 * loud.value}%`);
      const file = fileOf(media);
      save.hidden = !file;
      if (file && save.href !== file) { save.href = file; save.download = media.dataset.name || ""; }
    };
    const toggle = () => { if (media.paused || media.ended) media.play()?.catch(() => {}); else media.pause(); };
    start.addEventListener("click", toggle);
    if (isFilm) media.addEventListener("click", toggle);
    seek.addEventListener("input", () => { held = true; const length = lengthOf(media); if (length) media.currentTime = (seek.value / STEPS) * length; else media.load(); });
    seek.addEventListener("change", () => { held = false; paint(); });
    hush.addEventListener("click", () => { media.muted = !media.muted; if (!media.muted && media.volume === 0) media.volume = 1; });
    loud.addEventListener("input", () => { media.muted = false; media.volume = loud.value; try { localStorage.setItem(VOLUME, loud.value); } catch { /* no storage */ } });
    for (const name of ["play", "pause", "ended", "timeupdate", "seeked", "durationchange", "loadedmetadata", "progress", "volumechange", "emptied"]) media.addEventListener(name, paint);
    for (const each of [bar, save]) each.addEventListener("click", (event) => event.stopPropagation());
    // a stream plays while it is made; what was finished before waits to be asked
    const wait = () => { if (fileOf(media) && media.closest(".of-stream")) media.autoplay = false; };
    for (const name of ["loadstart", "loadedmetadata", "loadeddata"]) media.addEventListener(name, wait);
    wait();
    media.volume = remembered();
    bars.set(media, bar);
    media.after(bar);
    paint();
  }

  const WANTED = "audio[controls], video[controls]";
  const each = (root, act) => { if (root.matches?.(WANTED)) act(root); root.querySelectorAll?.(WANTED).forEach(act); };
  const forget = (node) => {
    for (const media of node.matches?.("audio, video") ? [node] : []) { if (!media.isConnected) { bars.get(media)?.remove(); bars.delete(media); } }
  };
  const watch = () => {
    each(document.body, dress);
    new MutationObserver((changes) => {
      for (const change of changes) {
        if (change.type === "attributes") { if (change.target.controls) dress(change.target); continue; }
        change.removedNodes.forEach(forget);
        change.addedNodes.forEach((node) => { if (node.nodeType === 1) each(node, dress); });
      }
    }).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["controls"] });
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", watch);
  else watch();
})();
