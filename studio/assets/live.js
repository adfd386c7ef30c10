// The Live tab's script: plays the stream, draws pictures and notes, reads keys, tells the studio that the page is there.
// No library. One answer of the studio streams everything: see models/live/messages.py.
(() => {
  const START_DELAY_S = 0.12, RESTART_DELAY_S = 0.25, ALIVE_MS = 2000, MAX_WAITING_PICTURES = 30;
  const FIRST_KEY = 60, BLACK = [1, 3, 6, 8, 10];
  const COMPUTER_KEYS = ["KeyA", "KeyW", "KeyS", "KeyE", "KeyD", "KeyF", "KeyT", "KeyG", "KeyY", "KeyH", "KeyU", "KeyJ", "KeyK", "KeyO", "KeyL", "KeyP", "Semicolon"];
  const PITCH_CLASSES = ["C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B"];
  const COLOURS = ["#4dbcab", "#f7933c", "#7aa7ff", "#e783c1", "#c9d65b", "#9f8cff"];
  const $ = (id) => document.getElementById(id);
  const address = (path) => new URL("live/" + path, location.href.split(/[?#]/)[0]).href;
  const newToken = () => Array.from(crypto.getRandomValues(new Uint8Array(18)), (b) => b.toString(16).padStart(2, "0")).join("");

  let token = "", kind = "", context = null, volume = null, zero = null, rate = 44100, abort = null, sources = [];
  let pictures = [], notes = [], bars = [], alive = null, microphone = null, program = 0, octave = 0, sent = Promise.resolve();
  let log = {}, lastKey = "", looping = false, waiting = [], asking = false;
  const samples = new Map(), held = new Map();

  const state = (name) => { const root = $("live-root"); if (root) root.dataset.state = name; if ($("live-stop")) $("live-stop").disabled = name === "idle"; };
  const say = (what, detail = "", problem = false) => {
    const line = $("live-line");
    if (!line) return;
    line.classList.toggle("problem", problem);
    line.querySelector(".what").textContent = what;
    line.querySelector(".left").textContent = detail;
  };
  const heard = () => (context && zero !== null ? context.currentTime - zero : 0);
  const freshLog = () => ({ gaps: [], clockStalls: [], pictures: 0, pictureTimes: [], turns: [], answers: [], chunks: 0, firstSoundMs: null, late: 0, meter: null, startedMs: performance.now() });

  // ---- the stream

  async function start(wanted, wishes) {
    if (token) await stop();
    token = newToken(); kind = wanted; zero = null; notes = []; bars = []; pictures = []; log = freshLog();
    const mine = token;
    state("starting"); say(kind === "voice" ? "Opening the microphone" : "Getting the musicians ready");
    showFiles(null);
    try {
      context = kind === "voice" ? new AudioContext() : new AudioContext({ latencyHint: "interactive", sampleRate: 44100 });
      volume = context.createGain(); volume.connect(context.destination);
      await context.resume();
      if (kind === "voice") { await openMicrophone(); wishes.rate = context.sampleRate; rate = context.sampleRate; } else rate = 44100;
      abort = new AbortController();
      const answer = await fetch(address("stream"), { method: "POST", body: JSON.stringify({ token, kind, ...wishes }), signal: abort.signal });
      if (!answer.ok) throw new Error((await answer.json()).problem);
      if (mine !== token) return;
      state("playing"); say(kind === "voice" ? "Listening" : "Playing");
      alive = setInterval(sayAlive, ALIVE_MS);
      loop();
      if (kind === "music") loadKeys();
      await read(answer.body.getReader(), mine);
      if (mine === token) end("The stream ended", "press Start again");
    } catch (error) {
      if (mine !== token) return;
      end("", ""); say(error.message || "The stream could not be opened.", "", true);
    }
  }

  async function read(reader, mine) {
    let left = new Uint8Array(0);
    while (mine === token) {
      const { done, value } = await reader.read();
      if (done) return;
      let data = value;
      if (left.length) { data = new Uint8Array(left.length + value.length); data.set(left); data.set(value, left.length); }
      let at = 0;
      while (at + 5 <= data.length) {
        const view = new DataView(data.buffer, data.byteOffset + at);
        const length = view.getUint32(1, true);
        if (at + 5 + length > data.length) break;
        take(String.fromCharCode(data[at]), data.subarray(at + 5, at + 5 + length));
        at += 5 + length;
      }
      left = data.slice(at);
    }
  }

  function take(letter, load) {
    if (letter === "J") return news(JSON.parse(new TextDecoder().decode(load)));
    const place = Number(new DataView(load.buffer, load.byteOffset).getBigUint64(0, true));
    if (letter === "A") sound(place, load.slice(8));
    else if (letter === "V") picture(place / 1e6, load.slice(8));
  }

  function sound(place, bytes) {
    const pcm = new Int16Array(bytes.buffer), count = pcm.length / 2;
    if (!count || !context) return;
    const now = context.currentTime;
    if (zero === null) { zero = Math.ceil((now + START_DELAY_S) * rate) / rate - place / rate; log.firstSoundMs = performance.now() - log.startedMs; }
    if (zero + place / rate < now + 0.003) { // nothing was there to play: the clock goes on from here
      const gap = now + RESTART_DELAY_S - (zero + place / rate);
      zero = Math.ceil((now + RESTART_DELAY_S) * rate) / rate - place / rate;
      log.gaps.push({ at_s: place / rate, gap_s: gap });
    }
    const buffer = context.createBuffer(2, count, rate);
    for (let side = 0; side < 2; side++) {
      const channel = buffer.getChannelData(side);
      for (let i = 0; i < count; i++) channel[i] = pcm[2 * i + side] / 32768;
    }
    const source = context.createBufferSource();
    source.buffer = buffer; source.connect(volume); source.start(zero + place / rate);
    source.onended = () => { sources = sources.filter((each) => each !== source); };
    sources.push(source); log.chunks += 1; log.sent_s = (place + count) / rate;
  }

  function picture(time_s, bytes) {
    createImageBitmap(new Blob([bytes], { type: "image/jpeg" })).then((bitmap) => {
      pictures.push({ time_s, bitmap });
      while (pictures.length > MAX_WAITING_PICTURES) pictures.shift().bitmap.close();
    }).catch(() => {});
  }

  function news(message) {
    for (const bar of message.bars ?? []) {
      bars.push(bar); bars = bars.slice(-40);
      for (const [at, length, pitch, who, velocity] of bar.notes) notes.push({ at, length, pitch, who, velocity });
      if (bar.turned) {
        const turn = log.turns.find((each) => each.heard === undefined);
        for (const each of log.turns) if (each.heard === undefined) { each.heard = zero + bar.start_s; each.bar_s = bar.end_s - bar.start_s; }
        if (turn) $("live-root")?.querySelectorAll(".turned").forEach((each) => each.classList.remove("turned"));
      }
      const first = heard() - 12;
      notes = notes.filter((note) => note.at + note.length > first);
    }
    if (message.answer) {
      for (const [at, length, pitch] of message.answer.notes) notes.push({ at, length, pitch, who: "answer", velocity: 90 });
      log.answers.push({ released: log.released, heard: zero + message.answer.start_s, after_s: message.answer.after_s });
      say("The model answers", `${message.answer.after_s.toFixed(2)} s after your phrase`);
    }
    if (message.meter) meter(message.meter, message.pictures);
    if (message.voice) say("Listening", message.voice.sound ? "your restyled voice follows" : "the pictures follow your sound");
    if (message.problem) say(message.problem, "", true);
    if (message.end) end("", "");
  }

  function end(what, detail, cut = true) {
    if (cut) abort?.abort();
    abort = null; clearInterval(alive);
    for (const source of sources) { try { source.stop(); } catch { /* has ended */ } }
    sources = []; token = "";
    closeMicrophone();
    context?.close().catch(() => {}); context = null; volume = null; zero = null;
    for (const each of pictures) each.bitmap.close();
    pictures = [];
    state("idle");
    if (what) say(what, detail);
  }

  async function stop() {
    if (!token) return;
    const mine = token, line = abort;
    end("Stopping", "", false); // a line that is cut means a page that has gone: its recording would be forgotten
    try {
      const answer = await ask("stop", { token: mine });
      say("Stopped", answer.duration_s ? `${clock(answer.duration_s)} recorded` : "");
      showFiles(mine, answer.files);
    } catch (error) { say(error.message, "", true); }
    line?.abort();
  }

  async function ask(path, what) {
    const answer = await fetch(address(path), { method: "POST", body: JSON.stringify(what), keepalive: true });
    const found = await answer.json();
    if (!answer.ok) throw new Error(found.problem);
    return found;
  }

  function sayAlive() {
    if (!token) return;
    const now = performance.now(), recent = log.pictureTimes.filter((each) => each > now - 5000);
    log.pictureTimes = recent;
    const page = { buffer_s: zero === null ? 0 : (log.sent_s ?? 0) - heard(), gaps: log.gaps.length, fps: recent.length / 5 };
    ask("control", { token, page }).catch((error) => { if (token) { end("", ""); say(error.message, "", true); } });
  }

  function control(what) {
    if (!token) return;
    const last = waiting.at(-1);
    if (what.controls && last?.controls && last.token === token) last.controls = what.controls; // a knob on its way
    else waiting.push({ token, ...what });
    if (!asking) askWaiting();
  }
  async function askWaiting() {
    asking = true;
    while (waiting.length) {
      const next = waiting.shift();
      if (next.token === token) await ask("control", next).catch((error) => { if (next.token === token) say(error.message, "", true); });
    }
    asking = false;
  }

  // ---- knobs

  function controls(values) {
    const [tempo, tonic, mode, density, instruments, drums, intensity, style] = values;
    return { tempo, tonic, mode, density, instruments, drums, intensity, style };
  }
  function turn(values) {
    if (kind !== "music" || !token) return;
    log.turns.push({ at: context.currentTime });
    control({ controls: controls(values) });
  }
  function instrument(value) { program = value; samples.clear(); if (token) loadKeys(); }

  // ---- pictures and notes on the page

  function loop() { if (!looping) { looping = true; requestAnimationFrame(draw); } }
  let drawnRollMs = 0, clockWas = null;
  function draw(nowMs) {
    if (!token) { looping = false; return; }
    const now = kind === "voice" && zero === null ? Infinity : heard();
    let due = null;
    while (pictures.length && pictures[0].time_s <= now) { due?.bitmap.close(); due = pictures.shift(); }
    const stage = $("live-picture");
    if (due && stage) {
      stage.getContext("2d").drawImage(due.bitmap, 0, 0, stage.width, stage.height);
      due.bitmap.close(); log.pictures += 1; log.pictureTimes.push(performance.now());
      $("live-root").dataset.picture = "there";
    }
    if (nowMs - drawnRollMs > 60) { drawnRollMs = nowMs; roll(); watchClock(); }
    requestAnimationFrame(draw);
  }

  function watchClock() { // a stalled audio clock is a gap that no buffer tells of
    if (!context) return;
    const now = performance.now(), time = context.currentTime;
    if (clockWas && clockWas.context === context && context.state === "running") {
      const missing = (now - clockWas.now) / 1000 - (time - clockWas.time);
      if (missing > 0.08) log.clockStalls.push({ at_s: heard(), gap_s: missing });
    }
    clockWas = { now, time, context };
  }

  function roll() {
    const canvas = $("live-roll");
    if (!canvas || !canvas.offsetParent) return;
    const width = canvas.clientWidth, height = canvas.clientHeight, pen = canvas.getContext("2d");
    if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
    const now = heard(), from = now - 5, span = 8, x = (at) => ((at - from) / span) * width, y = (pitch) => height - ((pitch - 28) / 72) * height;
    pen.clearRect(0, 0, width, height);
    for (const bar of bars) { pen.fillStyle = bar.turned ? "#f7933c" : "rgba(160,180,205,.28)"; pen.fillRect(x(bar.start_s), 0, bar.turned ? 2 : 1, height); }
    const parts = [...new Set(notes.map((note) => note.who).filter((who) => typeof who === "number" && who < 128))].sort((a, b) => a - b);
    for (const note of notes) {
      const sounding = note.at <= now && now < note.at + note.length;
      pen.globalAlpha = sounding ? 1 : 0.72;
      pen.fillStyle = note.who === "you" ? "#fff8e8" : note.who === "answer" ? "#ffd27a" : note.who === 128 ? "#5d6f8c" : COLOURS[parts.indexOf(note.who) % COLOURS.length];
      const top = note.who === 128 ? height - 4 - ((note.pitch - 35) % 12) : y(note.pitch);
      pen.fillRect(x(note.at), top, Math.max(2, (note.length / span) * width - 1), note.who === 128 ? 2 : 4);
    }
    pen.globalAlpha = 1; pen.fillStyle = "#ffb066"; pen.fillRect(x(now), 0, 2, height);
    const current = bars.findLast?.((bar) => bar.start_s <= now);
    if (current && current.key !== lastKey) { lastKey = current.key; markKeys(current.key); }
  }

  function meter(sound, shown) {
    log.meter = sound; log.shown = shown; log.late = sound.late ?? 0;
    const put = (id, text) => { const part = $("live-meter-" + id); if (part) part.textContent = text; };
    const bar = $("live-meter-bar");
    if (bar) { bar.style.width = `${Math.min(100, 100 * sound.share)}%`; bar.classList.toggle("hot", sound.share > 0.75); }
    put("share", `${Math.round(100 * sound.share)} %`);
    put("chunk", `${sound.took_ms.toFixed(0)} ms for ${sound.lasts_ms.toFixed(0)} ms`);
    put("buffer", `${((log.sent_s ?? 0) - heard()).toFixed(2)} s here · ${(sound.ahead_s ?? 0).toFixed(1)} s written ahead`);
    put("late", `${sound.late ?? 0} of ${sound.chunks ?? 0} · ${log.gaps.length} ${log.gaps.length === 1 ? "gap" : "gaps"} heard`);
    const now = performance.now(), fps = log.pictureTimes.filter((each) => each > now - 3000).length / 3;
    put("pictures", shown ? `${fps.toFixed(0)} frames a second here; ${shown.says || `the model draws ${shown.drawn} each second, the others are interpolated`}` : "no pictures");
    put("recorded", sound.record_full ? "an hour, and no more" : clock(sound.recorded_s ?? 0));
    put("says", sound.says);
    const root = $("live-root"); if (root) root.dataset.level = sound.level;
    if (shown && shown.morph < 1) say("The picture is on its way", `${Math.round(100 * shown.morph)} % towards the new prompt`);
  }

  const clock = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;
  function showFiles(mine, files) {
    const box = $("live-files");
    if (!box) return;
    box.replaceChildren(...(files ?? []).map((name) => {
      const link = document.createElement("a");
      link.href = address(`file/${mine}/${name}`); link.textContent = name.split(".").pop().replace("mid", "midi").toUpperCase();
      link.download = `auralume-live.${name.split(".").pop()}`; link.id = `live-file-${name.split(".").pop()}`;
      return link;
    }));
  }

  // ---- the keyboard

  const keyCount = () => (innerWidth < 600 ? 13 : 25); // wide enough for a thumb
  async function sample(pitch) {
    if (!samples.has(pitch)) {
      samples.set(pitch, fetch(address(`key/${program}/${pitch}`)).then((answer) => answer.arrayBuffer())
        .then((bytes) => new OfflineAudioContext(1, 1, 44100).decodeAudioData(bytes)).catch(() => null));
    }
    return samples.get(pitch);
  }
  async function loadKeys() {
    const wanted = program;
    for (let i = 0; i < keyCount() && token && wanted === program; i++) await sample(FIRST_KEY + 12 * octave + i);
  }
  let spare = null;
  const speaker = () => context ?? (spare ??= new AudioContext());

  async function press(pitch, velocity = 96) {
    if (held.has(pitch) || pitch < 0 || pitch > 127) return;
    const key = { pitch, at: heard(), voice: null };
    held.set(pitch, key);
    light(pitch, true);
    if (token && kind === "music") control({ key: { pitch, velocity, down: true, at_s: key.at, program } });
    const buffer = await sample(pitch), out = speaker();
    out.resume?.();
    if (!buffer || held.get(pitch) !== key) return;
    const source = out.createBufferSource(), gain = out.createGain();
    source.buffer = buffer; gain.gain.value = 0.25 + 0.6 * (velocity / 127);
    source.connect(gain); gain.connect(out.destination); source.start();
    key.voice = { gain, source, out };
  }
  function release(pitch) {
    const key = held.get(pitch);
    if (!key) return;
    held.delete(pitch); light(pitch, false);
    if (key.voice) { key.voice.gain.gain.setTargetAtTime(0, key.voice.out.currentTime, 0.08); key.voice.source.stop(key.voice.out.currentTime + 0.6); }
    if (token && kind === "music") {
      log.released = context.currentTime;
      notes.push({ at: key.at, length: Math.max(0.05, heard() - key.at), pitch, who: "you", velocity: 96 });
      control({ key: { pitch, velocity: 64, down: false, at_s: heard(), program } });
    }
  }
  const light = (pitch, on) => document.querySelector(`#live-keys [data-pitch="${pitch}"]`)?.classList.toggle("down", on);
  function markKeys(key) {
    const [tonic, mode] = key.split(" "), root = PITCH_CLASSES.indexOf(tonic), scale = mode === "minor" ? [0, 2, 3, 5, 7, 8, 10] : [0, 2, 4, 5, 7, 9, 11];
    for (const each of document.querySelectorAll("#live-keys [data-pitch]")) each.classList.toggle("in-key", scale.includes((each.dataset.pitch - root + 120) % 12));
  }

  function buildKeys() {
    const board = $("live-keys");
    if (!board) return;
    for (const pitch of [...held.keys()]) release(pitch);
    board.replaceChildren();
    const first = FIRST_KEY + 12 * octave, whites = Array.from({ length: keyCount() }, (_, i) => first + i).filter((p) => !BLACK.includes(p % 12)).length;
    let white = 0;
    for (let pitch = first; pitch < first + keyCount(); pitch++) {
      const black = BLACK.includes(pitch % 12), key = document.createElement("button");
      key.type = "button"; key.dataset.pitch = pitch; key.className = black ? "black" : "white"; key.tabIndex = -1;
      key.setAttribute("aria-label", `${PITCH_CLASSES[pitch % 12]}${Math.floor(pitch / 12) - 1}`);
      const letter = COMPUTER_KEYS[pitch - first];
      if (letter) key.innerHTML = `<i>${letter === "Semicolon" ? ";" : letter[3]}</i>`;
      key.style.left = `${(100 * (black ? white - 0.32 : white)) / whites}%`; key.style.width = `${(100 * (black ? 0.64 : 1)) / whites}%`;
      if (!black) white += 1;
      board.append(key);
    }
    if (lastKey) markKeys(lastKey);
  }
  const pointers = new Map();
  function pointer(event) {
    const under = document.elementFromPoint(event.clientX, event.clientY)?.closest?.("#live-keys [data-pitch]");
    const pitch = under ? +under.dataset.pitch : null, was = pointers.get(event.pointerId);
    if (event.type === "pointerdown" && pitch !== null) { event.preventDefault(); pointers.set(event.pointerId, pitch); press(pitch); }
    else if (event.type === "pointermove" && was !== undefined && pitch !== was) { if (was !== null) release(was); pointers.set(event.pointerId, pitch); if (pitch !== null) press(pitch); }
    else if (event.type === "pointerup" || event.type === "pointercancel") { if (was !== undefined && was !== null) release(was); pointers.delete(event.pointerId); }
  }
  for (const type of ["pointermove", "pointerup", "pointercancel"]) document.addEventListener(type, pointer);
  const typing = (target) => target?.closest?.("input, textarea, select, [contenteditable]");
  function computerKey(event) {
    const place = COMPUTER_KEYS.indexOf(event.code), board = $("live-keys");
    if (place < 0 || !board || !board.offsetParent || event.ctrlKey || event.metaKey || event.altKey) return;
    const pitch = FIRST_KEY + 12 * octave + place;
    if (event.type === "keyup") release(pitch);
    else if (!typing(event.target) && !event.repeat) { event.preventDefault(); press(pitch); }
  }
  document.addEventListener("keydown", computerKey);
  document.addEventListener("keyup", computerKey);
  addEventListener("blur", () => { for (const pitch of [...held.keys()]) release(pitch); });

  async function midi() {
    if (!navigator.requestMIDIAccess) { say("This browser has no Web MIDI; use the keys on the page.", "", true); return; }
    try {
      const access = await navigator.requestMIDIAccess();
      const listen = () => { for (const input of access.inputs.values()) input.onmidimessage = midiMessage; };
      listen(); access.onstatechange = listen;
      say(access.inputs.size ? `${[...access.inputs.values()][0].name} is connected` : "Plug a MIDI keyboard in, and play");
    } catch { say("The browser did not allow the MIDI keyboard.", "", true); }
  }
  function midiMessage({ data: [status, pitch, velocity] }) {
    if ((status & 0xf0) === 0x90 && velocity) press(pitch, velocity);
    else if ((status & 0xf0) === 0x80 || (status & 0xf0) === 0x90) release(pitch);
  }

  // ---- the microphone

  async function openMicrophone() {
    if (!navigator.mediaDevices?.getUserMedia) throw new Error("The browser gives no microphone here; it does on localhost and over https.");
    let stream;
    try { stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: false, autoGainControl: false } }); }
    catch { throw new Error("The browser did not allow the microphone."); }
    const source = context.createMediaStreamSource(stream), worker = context.createScriptProcessor(4096, 1, 1), mute = context.createGain();
    mute.gain.value = 0;
    worker.onaudioprocess = (event) => {
      const input = event.inputBuffer.getChannelData(0), block = new Int16Array(input.length);
      for (let i = 0; i < input.length; i++) block[i] = Math.max(-1, Math.min(1, input[i])) * 32767;
      const mine = token;
      if (mine && alive) sent = sent.then(() => fetch(address(`voice/${mine}`), { method: "POST", body: block })).catch(() => {});
    };
    source.connect(worker); worker.connect(mute); mute.connect(context.destination);
    microphone = { stream, source, worker };
  }
  function closeMicrophone() {
    if (!microphone) return;
    microphone.worker.onaudioprocess = null; microphone.source.disconnect();
    for (const track of microphone.stream.getTracks()) track.stop();
    microphone = null;
  }

  // ---- the page's own events

  function mount() {
    buildKeys();
    const board = $("live-keys");
    if (board && !board.dataset.mounted) { board.dataset.mounted = "yes"; board.addEventListener("pointerdown", pointer); }
    document.querySelectorAll("[data-live]").forEach((button) => {
      button.onclick = () => ({ lower: () => shift(-1), higher: () => shift(1), midi })[button.dataset.live]?.();
    });
    if (!token) state("idle");
  }
  function shift(by) { octave = Math.max(-3, Math.min(3, octave + by)); buildKeys(); if (token) loadKeys(); }
  addEventListener("pagehide", () => { if (token) navigator.sendBeacon(address("stop"), JSON.stringify({ token, leave: true })); });

  window.auralumeLive = {
    mount, turn, stop, instrument, press, release,
    start: (values) => { program = values[11] ?? 0; samples.clear(); start("music", { controls: controls(values), seed: values[8], pictures: values[9], prompt: values[10], program, model: values[12] ?? "" }); },
    listen: (style, strength, usePictures, prompt, model) => start("voice", { style, strength, pictures: usePictures, prompt, model: model ?? "" }),
    lead: (prompt, over_s) => control({ prompt, over_s }),
    report: () => ({ ...log, heard_s: heard(), buffer_s: zero === null ? 0 : (log.sent_s ?? 0) - heard(), now: context?.currentTime ?? 0, playing: !!token, token, bars: bars.length }),
  };
})();
