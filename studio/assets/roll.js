// The piano roll as an instrument: choose bars, move notes, mix, play and loop. The studio keeps the piece; this script
// shows it and sends small commands, one message at a time, each answered by a roll with the message's number.
(() => {
  const SIXTEENTH = 6, EIGHTH = 12, SLOP_PX = 6, END_PX = 9, TWICE_MS = 350, ANSWER_MS = 20000, FARTHEST = 8;
  const NAMES = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];
  const state = {
    mode: "bars", zoom: 1, left: 0, bars: null, note: null, part: 0, length: EIGHTH, focus: null,
    serial: 0, queue: [], message: "", waits: 0, tap: null, gesture: null,
    context: null, source: null, buffer: null, url: "", began: 0, loops: false, loading: null,
  };
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const figure = () => one("#music-roll .roll[data-piece]");
  const busy = () => { const stop = one("#music-stop"); return Boolean(stop) && !stop.disabled; };
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
  let parsed = { text: "", piece: null };

  function read(element = figure()) {
    if (!element) return null;
    if (parsed.text !== element.dataset.piece) { // the page may change a figure in its place
      const rows = JSON.parse(element.dataset.rows);
      const drums = Object.entries(rows.drums).map(([pitch, row]) => [Number(pitch), row]);
      const piece = { ...JSON.parse(element.dataset.piece), rows, drumRows: new Map(drums), rowDrums: new Map(drums.map(([p, r]) => [r, p])) };
      piece.end = piece.bars.at(-1);
      parsed = { text: element.dataset.piece, piece };
    }
    return parsed.piece;
  }
  const sameNote = (a, b) => Boolean(a && b) && a[0] === b[0] && a[1] === b[1] && a[3] === b[3];
  const find = (piece, name) => piece.notes.find((each) => sameNote(each, name));
  const rowOf = (piece, note) => (piece.drums[note[0]] ? piece.drumRows.get(note[3]) ?? 0 : piece.rows.high - note[3]);
  function convert(piece, value, from, to) { // between grid positions (0) and seconds (1), bar by bar
    const last = piece.bars.length - 2;
    let bar = 0;
    while (bar < last && value >= piece.bars[bar + 1][from]) bar += 1;
    const [a, b] = [piece.bars[bar], piece.bars[bar + 1]];
    return a[to] + ((value - a[from]) / Math.max(1e-9, b[from] - a[from])) * (b[to] - a[to]);
  }
  const share = (piece, position) => convert(piece, position, 0, 1) / piece.end[1];
  const barAt = (piece, seconds) => {
    let bar = 1;
    while (bar < piece.bars.length - 1 && seconds >= piece.bars[bar][1]) bar += 1;
    return bar;
  };
  const spot = (ink, piece, event) => {
    const box = ink.getBoundingClientRect();
    const seconds = clamp((event.clientX - box.left) / box.width, 0, 0.999999) * piece.end[1];
    const row = clamp(Math.floor(((event.clientY - box.top) / box.height) * piece.rows.count), 0, piece.rows.count - 1);
    return { seconds, row, position: convert(piece, seconds, 1, 0), pixel: (piece.end[1] / box.width), box };
  };

  // ---- messages to the studio

  const fill = (selector, value) => window.auralumeFill(one(selector), value);
  function send(...commands) {
    if (busy()) return;
    state.queue.push(...commands);
    flush();
  }
  function flush() {
    if (!state.queue.length || Date.now() < state.waits) return;
    state.serial += 1;
    state.waits = Date.now() + ANSWER_MS;
    state.message = JSON.stringify({ serial: state.serial, commands: state.queue.splice(0, 200) });
    one("#roll-send")?.click();
  }
  function press(button, fields) {
    if (busy()) return;
    for (const [selector, value] of Object.entries(fields)) fill(`${selector} input`, value);
    setTimeout(() => one(button)?.click(), 120);
  }

  // ---- what is drawn over the roll

  function mark(ink, name, left, right, top = 0, bottom = 1) {
    let box = one(`:scope > .${name}`, ink);
    if (!box) { box = document.createElement("i"); box.className = name; ink.append(box); }
    Object.assign(box.style, {
      left: `${100 * left}%`, width: `${100 * Math.max(0, right - left)}%`, top: `${100 * top}%`, height: `${100 * (bottom - top)}%`,
    });
    return box;
  }
  const unmark = (ink, ...names) => names.forEach((name) => one(`:scope > .${name}`, ink)?.remove());
  function markNote(ink, piece, name, note) {
    const row = rowOf(piece, note);
    mark(ink, name, share(piece, note[1]), share(piece, Math.min(note[1] + note[2], piece.end[0])), row / piece.rows.count, (row + 1) / piece.rows.count);
  }
  function show() {
    const roll = figure(), piece = read(roll);
    if (!piece) return;
    const ink = one(".ink", roll), wide = one(".wide", roll);
    roll.dataset.mode = state.mode;
    wide.style.width = `${100 * state.zoom}%`;
    ink.style.height = `${Math.min(520, 260 + 60 * (state.zoom - 1))}px`;
    if (state.bars && state.bars[1] >= piece.bars.length) state.bars = null;
    if (state.note && !find(piece, state.note) && Date.now() > state.waits) state.note = null;
    if (state.part >= piece.drums.length) state.part = 0;
    if (state.bars) mark(ink, "chosen-bars", piece.bars[state.bars[0] - 1][1] / piece.end[1], piece.bars[state.bars[1]][1] / piece.end[1]);
    else unmark(ink, "chosen-bars");
    if (state.note) markNote(ink, piece, "chosen-note", state.note); else unmark(ink, "chosen-note");
    const [kind, there] = state.mode === "bars" ? ["bars", state.bars] : ["note", state.note];
    for (const panel of all("[data-chosen]", roll)) {
      panel.hidden = panel.dataset.chosen !== (there ? kind : `${kind}-none`);
      if (panel.hidden || !there) continue;
      const [first, last] = state.bars ?? [];
      one("b", panel).textContent = panel.dataset.chosen === "bars"
        ? (first === last ? `Bar ${first}` : `Bars ${first}–${last}`) : nameOf(piece, state.note);
    }
    press_state("bars", state.mode === "bars"); press_state("notes", state.mode === "notes");
    press_state("loop", state.loops);
    press_state("play", Boolean(state.source));
    const play = one('[data-roll="play"]', roll);
    if (play) play.textContent = state.source ? "❚❚ Pause" : "▶ Play";
    for (const name of ["back", "on"]) { const button = one(`[data-roll="${name}"]`, roll); if (button) button.hidden = state.zoom === 1; }
    all('[data-desk="draw"]', roll).forEach((each, at) => each.setAttribute("aria-pressed", at === state.part));
    function press_state(name, on) { one(`[data-roll="${name}"]`, roll)?.setAttribute("aria-pressed", on); }
  }
  const nameOf = (piece, note) => (piece.drums[note[0]] ? `Drum ${note[3]}` : `${NAMES[note[3] % 12]}${Math.floor(note[3] / 12) - 1}`);

  // ---- gestures on the roll

  function hit(piece, at) {
    const slop = SLOP_PX * at.pixel;
    let best = null, nearest = Infinity;
    for (const note of piece.notes) {
      const rows = Math.abs(rowOf(piece, note) - at.row);
      if (rows > 1) continue;
      const start = convert(piece, note[1], 0, 1), end = convert(piece, note[1] + note[2], 0, 1);
      if (at.seconds < start - slop || at.seconds > Math.max(end, start + 10 * at.pixel) + slop) continue;
      const far = rows * 1000 + Math.max(0, start - at.seconds, at.seconds - end) / at.pixel + (note[0] === state.part ? 0 : 0.5);
      if (far < nearest && (rows === 0 || at.box.height / piece.rows.count < 12)) { best = note; nearest = far; }
    }
    return best;
  }
  function begin(event) {
    const ruler = event.target.closest?.(".axis-x.bars"), ink = event.target.closest?.(".ink") ?? (ruler && one(".ink", ruler.parentElement));
    const roll = ink?.closest(".roll[data-piece]");
    if (!roll || event.button || busy()) return;
    const piece = read(roll), at = spot(ink, piece, event);
    const base = { ink, piece, at, id: event.pointerId, x: event.clientX, y: event.clientY, moved: false };
    if (state.mode === "notes" && !ruler) {
      const note = hit(piece, at);
      const end = note ? convert(piece, note[1] + note[2], 0, 1) : 0;
      const wide = note && (end - convert(piece, note[1], 0, 1)) / at.pixel > 2.5 * END_PX;
      const resizes = Boolean(note) && !piece.drums[note[0]] && wide && Math.abs(end - at.seconds) / at.pixel < END_PX;
      state.gesture = { ...base, kind: "note", note, resizes, target: null };
      if (note) { state.note = [...note]; state.part = note[0]; }
      else state.note = null;
    } else {
      const bar = barAt(piece, at.seconds);
      state.gesture = { ...base, kind: "bars", bar };
      state.bars = event.shiftKey && state.bars ? [Math.min(state.bars[0], bar), Math.max(state.bars[1], bar)] : [bar, bar];
    }
    try { ink.setPointerCapture(event.pointerId); } catch { /* a pointer that is gone already */ }
    ink.focus({ preventScroll: true });
    event.preventDefault();
    show();
  }
  function move(event) {
    const gesture = state.gesture;
    if (!gesture || event.pointerId !== gesture.id) return;
    if (!gesture.moved && Math.hypot(event.clientX - gesture.x, event.clientY - gesture.y) < 4) return;
    gesture.moved = true;
    const { piece, ink } = gesture, now = spot(ink, piece, event);
    follow(event, ink);
    if (gesture.kind === "bars") {
      const bar = barAt(piece, now.seconds);
      state.bars = [Math.min(gesture.bar, bar), Math.max(gesture.bar, bar)];
      show();
      return;
    }
    if (!gesture.note) return;
    const note = [...gesture.note];
    const by = Math.round((now.position - gesture.at.position) / SIXTEENTH) * SIXTEENTH;
    if (gesture.resizes) note[2] = Math.max(SIXTEENTH, note[2] + by);
    else {
      note[1] = clamp(note[1] + by, 0, piece.end[0] - 1);
      const row = clamp(rowOf(piece, note) + now.row - gesture.at.row, 0, piece.rows.count - 1);
      note[3] = piece.drums[note[0]] ? piece.rowDrums.get(row) ?? note[3] : clamp(piece.rows.high - row, 0, 127);
    }
    gesture.target = note;
    markNote(ink, piece, "ghost", note);
  }
  function follow(event, ink) { // towards what lies outside the part that is seen
    const scroll = ink.closest(".scroll"), box = scroll.getBoundingClientRect();
    if (event.clientX > box.right - 20) scroll.scrollLeft += 16;
    if (event.clientX < box.left + 20) scroll.scrollLeft -= 16;
  }
  function end(event) {
    const gesture = state.gesture;
    if (!gesture || event.pointerId !== gesture.id) return;
    state.gesture = null;
    if (event.type === "pointercancel") { unmark(gesture.ink, "ghost"); show(); return; }
    if (gesture.kind === "bars") { tellBars(); show(); return; }
    const { note, target, piece } = gesture;
    if (note && target && !(sameNote(note, target) && note[2] === target[2])) change(note, target);
    else { unmark(gesture.ink, "ghost"); if (!gesture.moved) tap(gesture, event); }
    show();
  }
  function change(note, target) {
    const [track, at, , pitch] = note;
    if (!sameNote(note, target)) send({ do: "move", track, at, pitch, by: target[1] - at, up: target[3] - pitch });
    else send({ do: "resize", track, at, pitch, length: target[2] });
    state.note = target;
    state.length = target[2];
  }
  function tap(gesture, event) {
    const before = state.tap;
    state.tap = { time: event.timeStamp, x: event.clientX, y: event.clientY };
    if (!before || event.timeStamp - before.time > TWICE_MS || Math.hypot(event.clientX - before.x, event.clientY - before.y) > 14) return;
    state.tap = null;
    const { piece, note, at } = gesture;
    if (note) { remove(note); return; }
    const drum = piece.drums[state.part], pitch = drum ? piece.rowDrums.get(at.row) : piece.rows.high - at.row;
    if (pitch === undefined || pitch < 0 || pitch > 127) return;
    const start = Math.floor(at.position / SIXTEENTH) * SIXTEENTH;
    state.note = [state.part, start, state.length, pitch];
    send({ do: "add", track: state.part, at: start, pitch, length: state.length });
  }
  function remove(note) {
    send({ do: "delete", track: note[0], at: note[1], pitch: note[3] });
    state.note = null;
  }
  const tellBars = () => { if (state.bars) { fill("#music-first input", state.bars[0]); fill("#music-last input", state.bars[1]); } };
  document.addEventListener("pointerdown", begin);
  document.addEventListener("pointermove", move);
  document.addEventListener("pointerup", end);
  document.addEventListener("pointercancel", end);
  document.addEventListener("scroll", (event) => {
    if (event.target.matches?.("#music-roll .roll[data-piece] .scroll")) state.left = event.target.scrollLeft;
  }, true);

  // ---- buttons and keys

  const resize = (by) => () => {
    const note = state.note && find(read(), state.note);
    if (note) change(note, [note[0], note[1], Math.max(SIXTEENTH, note[2] + by), note[3]]);
  };
  const zoom = (factor) => () => {
    const scroll = one(".scroll", figure());
    const middle = (scroll.scrollLeft + scroll.clientWidth / 2) / scroll.scrollWidth;
    state.zoom = clamp(state.zoom * factor, 1, FARTHEST);
    show();
    scroll.scrollLeft = state.left = middle * scroll.scrollWidth - scroll.clientWidth / 2;
  };
  const slide = (by) => () => { const scroll = one(".scroll", figure()); scroll.scrollLeft += by * 0.8 * scroll.clientWidth; };
  const change_bars = (button) => () => {
    if (state.bars) press(button, { "#music-first": state.bars[0], "#music-last": state.bars[1] });
  };
  const actions = {
    play: () => (state.source ? pause() : play()),
    loop: () => { state.loops = !state.loops; setLoop(); },
    bars: () => { state.mode = "bars"; state.note = null; },
    notes: () => { state.mode = "notes"; },
    undo: () => send({ do: "undo" }),
    redo: () => send({ do: "redo" }),
    closer: zoom(2), farther: zoom(0.5), back: slide(-1), on: slide(1),
    none: () => { state.bars = state.note = null; setLoop(); },
    rewrite: change_bars("#roll-rewrite"), vary: change_bars("#roll-vary"), versions: change_bars("#roll-versions"),
    continue: () => {
      if (!state.bars) return;
      const last = state.bars[1], count = read().bars.length - 1;
      press("#roll-continue", { "#music-after": last < count ? last : 0 });
      setTimeout(() => fill("#music-after input", 0), 1500);
    },
    delete: () => { if (state.note) remove(state.note); },
    shorter: resize(-SIXTEENTH), longer: resize(SIXTEENTH),
  };
  const strip = (element) => {
    const row = element.closest(".strip"), track = Number(row.dataset.track);
    const pressed = (name) => one(`[data-desk="${name}"]`, row).getAttribute("aria-pressed") === "true";
    const value = (name) => Number(one(`[data-desk="${name}"]`, row).value);
    return { do: "mix", track, volume: value("volume"), pan: value("pan"), mute: pressed("mute"), solo: pressed("solo") };
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("#music-roll .roll[data-piece] button");
    if (!button || button.disabled) return;
    if (button.dataset.roll) actions[button.dataset.roll]?.();
    else if (button.dataset.desk === "draw") state.part = Number(button.closest(".strip").dataset.track);
    else if (!busy()) {
      button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") !== "true");
      send(strip(button));
    }
    show();
  });
  document.addEventListener("change", (event) => {
    const control = event.target;
    if (!control.matches?.("#music-roll select[data-desk], #music-roll input[data-desk]")) return;
    if (control.dataset.desk === "instrument") send({ do: "instrument", track: Number(control.closest(".strip").dataset.track), program: Number(control.value) });
    else send(strip(control));
  });

  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  document.addEventListener("keydown", (event) => {
    if (!event.target.closest?.("#music-roll .roll[data-piece]")) return;
    const piece = read(), arrow = ARROWS[event.key], control = event.ctrlKey || event.metaKey;
    const takes = () => { event.preventDefault(); show(); };
    if (control && event.key.toLowerCase() === "z") { (event.shiftKey ? actions.redo : actions.undo)(); takes(); return; }
    if (control && event.key.toLowerCase() === "y") { actions.redo(); takes(); return; }
    if (!event.target.matches(".ink") || !piece || busy()) return;
    if (event.key === " ") { actions.play(); takes(); } else if (event.key === "Escape") { actions.none(); takes(); }
    else if ((event.key === "Delete" || event.key === "Backspace") && state.note) { actions.delete(); takes(); }
    else if (arrow && event.shiftKey) {
      const count = piece.bars.length - 1, [first, last] = state.bars ?? [1, 0];
      state.bars = last === 0 ? [1, 1] : [first, clamp(last + (arrow[0] || arrow[1]), first, count)];
      tellBars(); takes();
    } else if (arrow && (event.altKey || !state.note)) {
      const at = piece.notes.findIndex((each) => sameNote(each, state.note));
      state.mode = "notes";
      state.note = [...piece.notes[(at + (arrow[0] || -arrow[1]) + piece.notes.length) % piece.notes.length]];
      state.part = state.note[0]; takes();
    } else if (arrow) {
      const note = find(piece, state.note), drum = piece.drums[note[0]];
      const target = [note[0], clamp(note[1] + SIXTEENTH * arrow[0], 0, piece.end[0] - 1), note[2], drum ? note[3] : clamp(note[3] + arrow[1], 0, 127)];
      if (!sameNote(note, target)) change(note, target);
      takes();
    }
  });
  document.addEventListener("focusin", (event) => {
    const part = event.target;
    if (!part.closest?.("#music-roll")) { state.focus = null; return; }
    const { roll, desk } = part.dataset, track = part.closest(".strip")?.dataset.track;
    state.focus = roll ? `[data-roll="${roll}"]` : desk ? `.strip[data-track="${track}"] [data-desk="${desk}"]` : part.matches(".ink") ? ".ink" : null;
  });

  // ---- the player of the finished piece, which goes on while the piece changes

  const region = () => {
    const piece = read();
    return state.bars && piece ? [piece.bars[state.bars[0] - 1][1], piece.bars[state.bars[1]][1]] : [0, piece?.end[1] ?? state.buffer?.duration ?? 0];
  };
  const now = () => {
    if (!state.source) return 0;
    const at = state.context.currentTime - state.began, { loop, loopStart, loopEnd } = state.source;
    return loop && at >= loopEnd ? loopStart + ((at - loopStart) % (loopEnd - loopStart)) : at;
  };
  async function load() {
    const url = one("#music-sound a[href]")?.href ?? "";
    if (!url || url === state.url) return;
    state.context ??= new AudioContext();
    const answer = await fetch(url);
    if (!answer.ok) return;
    state.buffer = await state.context.decodeAudioData(await answer.arrayBuffer());
    state.url = url;
  }
  const loading = () => (state.loading = (state.loading ?? Promise.resolve()).then(load).catch(() => {}));
  async function play() {
    const from = state.bars ? region()[0] : 0;
    await loading();
    if (!state.buffer) return;
    all("#music-player audio").forEach((each) => each.pause());
    await state.context.resume();
    start(from);
    tick();
  }
  function start(at) {
    halt();
    const source = state.context.createBufferSource();
    source.buffer = state.buffer;
    source.connect(state.context.destination);
    source.onended = () => { if (state.source === source) { state.source = null; show(); head(); } };
    state.source = source;
    setLoop();
    source.start(0, Math.min(at, state.buffer.duration - 0.01));
    state.began = state.context.currentTime - at;
    show();
  }
  function setLoop() {
    if (!state.source) return;
    const at = now(), [first, last] = region();
    Object.assign(state.source, { loopStart: first, loopEnd: Math.min(last, state.source.buffer.duration), loop: state.loops });
    state.began = state.context.currentTime - at;
  }
  function halt() { const source = state.source; state.source = null; try { source?.stop(); } catch { /* not begun */ } }
  function pause() { halt(); show(); head(); }
  function head() {
    const piece = read(), line = one("#music-roll .roll[data-piece] .playhead");
    if (!piece || !line) return;
    const at = now() / piece.end[1];
    line.classList.toggle("on", Boolean(state.source) && at <= 1);
    line.style.left = `${clamp(100 * at, 0, 100)}%`;
  }
  function tick() { if (state.source) { head(); requestAnimationFrame(() => setTimeout(tick, 40)); } }
  document.addEventListener("play", (event) => {
    if (!event.target.closest?.("#music-player") || !state.source) return;
    if (state.loops) event.target.pause(); else pause();
  }, true);
  async function renew() { // the sound of a piece that has changed takes over where the old one is
    const before = state.url;
    await loading();
    if (state.source && state.url !== before) start(now());
  }

  // ---- whenever the page has changed

  let seen = null, told = "", sound = "";
  function refresh() {
    const roll = figure(), url = one("#music-sound a[href]")?.href ?? "";
    if (url && url !== sound) { sound = url; if (state.source) renew(); }
    if (!roll || (roll === seen && roll.dataset.piece === told)) return;
    [seen, told] = [roll, roll.dataset.piece];
    unmark(one(".ink", roll), "ghost");
    const piece = read(roll);
    if (piece.serial === state.serial) { state.waits = 0; flush(); }
    if (piece.serial === 0) { state.queue = []; state.waits = 0; }
    const left = state.left;
    show();
    one(".scroll", roll).scrollLeft = left;
    if (state.focus && (document.activeElement === document.body || !document.activeElement)) one(state.focus, roll)?.focus({ preventScroll: true });
  }
  let later = 0;
  new MutationObserver(() => { clearTimeout(later); later = setTimeout(refresh, 30); })
    .observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["href", "data-piece"] });
  window.auralumeRoll = { state, now, read, figure, message: () => state.message };
})();
