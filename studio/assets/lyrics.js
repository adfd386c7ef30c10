// Lyrics of the Music Video tab: the song plays, and a tap at the start of each line gives it its time.
(() => {
  const TIME = /^\s*\[\d{1,3}:\d{1,2}(?:[.:]\d{1,3})?\]\s*/;
  const WORD = /[<[]\s*\d{1,3}:\d{1,2}(?:[.:]\d{1,3})?\s*[>\]]/g;
  const one = (selector) => document.querySelector(selector);
  const audio = () => one("#mv-player audio");
  const field = () => one("#mv-lyrics textarea, #mv-lyrics input");
  let taps = null;

  const clock = (seconds) => `${String(Math.floor(seconds / 60)).padStart(2, "0")}:${(seconds % 60).toFixed(2).padStart(5, "0")}`;
  const say = (now, next, label) => {
    const place = one("#mv-tapper");
    if (!place) return;
    place.querySelector("b").textContent = now;
    place.querySelector("span").textContent = next;
    const button = one("#mv-tap-lyrics");
    if (button) button.textContent = label;
  };
  function show() {
    const { lines, times } = taps, at = times.length;
    say(at ? lines[at - 1] : "The song plays. Tap as the first line begins.", at < lines.length ? `Next: ${lines[at]}` : "", at < lines.length ? `Tap: line ${at + 1} of ${lines.length}` : "Done");
  }
  function finish() {
    const timed = taps.lines.slice(0, taps.times.length).map((line, at) => `[${clock(taps.times[at])}] ${line}`);
    window.auralumeFill(field(), timed.join("\n"));
    const missed = taps.lines.length - taps.times.length;
    taps = null;
    audio()?.pause();
    say(missed ? `The song ended before the last ${missed} line${missed === 1 ? "" : "s"}; they are left out.` : "Every line has its time.", "", "Tap the lyrics");
  }
  function begin() {
    const sound = audio(), lines = (field()?.value ?? "").split("\n").map((line) => line.replace(TIME, "").replace(WORD, "").trim()).filter(Boolean);
    if (!sound?.src && !sound?.currentSrc) { say("Choose a song first.", "", "Tap the lyrics"); return; }
    if (!lines.length) { say("Write or paste the lyrics first, a line each.", "", "Tap the lyrics"); return; }
    taps = { lines, times: [] };
    sound.currentTime = 0;
    sound.play()?.catch(() => {});
    show();
  }
  function tap() {
    if (!taps) { begin(); return; }
    taps.times.push(audio().currentTime);
    if (taps.times.length === taps.lines.length) finish(); else show();
  }
  document.addEventListener("click", (event) => { if (event.target.closest?.("#mv-tap-lyrics")) tap(); });
  document.addEventListener("keydown", (event) => {
    if (!taps || event.repeat || event.target.matches?.("input, textarea, select, button")) return;
    if (event.key === " ") { event.preventDefault(); tap(); }
    if (event.key === "Backspace" && taps.times.length) { event.preventDefault(); taps.times.pop(); show(); }
  });
  document.addEventListener("ended", (event) => { if (taps && event.target.closest?.("#mv-player")) finish(); }, true);
})();
