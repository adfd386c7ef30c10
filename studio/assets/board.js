// The storyboard of the Music Video tab: a card a shot, changed here and written as JSON into a field that is sent along.
// The studio arranges the shots and draws pictures of them; this script keeps what the person makes of it, and its history.
(() => {
  const MOST = 100, GRIP_PX = 5, USUAL = { beats: 1, source: "", motion: "auto", prompt: "", take: 0, seed: 0, style: "", locked: false };
  const SAID = { auto: "Auto", still: "Still", closer: "Closer", away: "Away", left: "To the left", right: "To the right", up: "Up", down: "Down" };
  const state = { data: null, board: null, edited: false, past: [], future: [], at: 0, drawn: {}, waits: null, drag: null, given: false };
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const field = () => one("#mv-storyboard textarea, #mv-storyboard input");
  const audio = () => one("#mv-player audio");
  const clone = (value) => JSON.parse(JSON.stringify(value));
  const shots = () => state.board?.shots ?? [];
  const of = (shot, name) => shot[name] ?? USUAL[name];
  const tag = window.auralumeMake;

  // ---- what is sent along

  const write = () => window.auralumeFill(field(), state.edited ? JSON.stringify(state.board) : "");
  function change(edit, at = state.at) {
    const before = JSON.stringify(state.board), next = clone(state.board);
    if (edit(next.shots, next) === false || !next.shots.length) return;
    for (const shot of next.shots) for (const [name, value] of Object.entries(USUAL)) if (name !== "beats" && shot[name] === value) delete shot[name];
    state.past = [...state.past, before].slice(-MOST);
    state.future = [];
    state.board = next;
    state.edited = true;
    state.at = at;
    write();
    render(true);
  }
  function step(from, to) {
    if (!state[from].length) return;
    state[to] = [...state[to], JSON.stringify(state.board)].slice(-MOST);
    state.board = JSON.parse(state[from].at(-1));
    state[from] = state[from].slice(0, -1);
    state.edited = true;
    write();
    render(true);
  }
  const free = (list, at) => list[at] && !of(list[at], "locked");
  const nextSeed = (list, name) => 1 + Math.max(...list.map((each) => of(each, name)));

  const acts = {
    earlier: () => move(state.at, state.at - 1),
    later: () => move(state.at, state.at + 1),
    split: () => change((list) => {
      const shot = list[state.at];
      if (!free(list, state.at) || shot.beats < 2) return false;
      const first = Math.ceil(shot.beats / 2), rest = { ...clone(shot), beats: shot.beats - first, seed: nextSeed(list, "seed") };
      if (isClip(of(shot, "source")) || !of(shot, "source")) rest.take = of(shot, "take") + 1;
      shot.beats = first;
      list.splice(state.at + 1, 0, rest);
    }),
    merge: () => change((list) => {
      if (!free(list, state.at) || !free(list, state.at + 1)) return false;
      list[state.at].beats += list[state.at + 1].beats;
      list.splice(state.at + 1, 1);
    }),
    shorter: () => shift(-1),
    longer: () => shift(1),
    lock: () => change((list) => { list[state.at].locked = !of(list[state.at], "locked"); }),
    anew: () => change((list) => {
      const shot = list[state.at];
      if (!free(list, state.at)) return false;
      shot.seed = nextSeed(list, "seed");
      if (!of(shot, "source")) shot.take = nextSeed(list, "take");
      else if (isClip(shot.source)) shot.take = of(shot, "take") + 1;
    }),
    undo: () => step("past", "future"),
    redo: () => step("future", "past"),
    arrange: () => { state.waits = clone(state.board); one("#mv-arrange")?.click(); },
    play: () => play(),
  };
  const isClip = (name) => /\.(mp4|mov|webm|mkv|avi|m4v|mpg|gif)$/i.test(name);
  function move(from, to) {
    if (to < 0 || to >= shots().length || from === to) return;
    change((list) => {
      const between = list.slice(Math.min(from, to), Math.max(from, to) + 1);
      if (between.some((each) => of(each, "locked"))) return false;
      list.splice(to, 0, ...list.splice(from, 1));
    }, to);
  }
  function shift(by) { // the next shot gives the beat or takes it, so that all others stay where they are
    change((list) => {
      const other = state.at + 1 < list.length ? state.at + 1 : state.at - 1;
      if (!free(list, state.at) || !free(list, other) || list[state.at].beats + by < 1 || list[other].beats - by < 1) return false;
      list[state.at].beats += by;
      list[other].beats -= by;
    });
  }
  function choose(name, value) {
    change((list) => {
      if (!free(list, state.at)) return false;
      const shot = list[state.at];
      shot[name] = value;
      if (name === "source") { delete shot.prompt; shot.take = value ? 0 : nextSeed(list, "take"); }
    });
  }

  // ---- what the studio sends

  const starts = (list) => { let at = 0; return list.map((each) => { const start = at; at += each.beats; return start; }); };
  function remap(list, from, to) { // the beats were corrected: cuts stay where they were in time, on the nearest beats
    const nearest = (time) => to.reduce((best, each, at) => (Math.abs(each - time) < Math.abs(to[best] - time) ? at : best), 0);
    let last = -1;
    const places = starts(list).map((start, at) => (last = at ? Math.max(last + 1, nearest(from[Math.min(start, from.length - 1)])) : 0));
    return list.map((each, at) => ({ ...each, beats: Math.max(1, (places[at + 1] ?? Math.max(to.length, places[at] + 1)) - places[at]) }));
  }
  function overlay(list, kept) { // locked shots stay on their beats, the new ones lie around them
    const beats = list.flatMap((each, at) => Array(each.beats).fill(`new ${at}`));
    const begins = starts(kept);
    kept.forEach((each, at) => { if (each.locked) for (let beat = 0; beat < each.beats; beat += 1) if (begins[at] + beat < beats.length) beats[begins[at] + beat] = `kept ${at}`; });
    const made = [];
    let name = null;
    for (const each of beats) {
      if (each === name) { made.at(-1).beats += 1; continue; }
      const [kind, at] = each.split(" ");
      made.push({ ...clone((kind === "kept" ? kept : list)[Number(at)]), beats: 1 });
      name = each;
    }
    return made;
  }
  function take() {
    const place = one("#mv-board .board[data-board]:not([data-taken])");
    if (!place) { if (!one("#mv-board .board")) state.data = null; return; }
    place.dataset.taken = "";
    const data = JSON.parse(place.dataset.board), before = state.data, text = field()?.value ?? "";
    const isOther = Boolean(before) && before.song !== data.song;
    state.data = data;
    state.drawn = isOther ? data.drawn : { ...state.drawn, ...data.drawn };
    if (state.waits) {
      state.past = [...state.past, JSON.stringify(state.waits)].slice(-MOST);
      state.future = [];
      state.board = { ...data.board, shots: overlay(data.board.shots, state.waits.shots) };
      state.waits = null;
      state.edited = true;
      write();
    } else if (text && isOther && !state.given) { // another song: its shots are its own
      state.edited = false;
      Object.assign(state, { past: [], future: [] });
      write();
      state.board = data.board;
      one("#mv-arrange-usual")?.click();
    } else if (text) {
      state.board = JSON.parse(text);
      state.edited = true;
      state.given = false;
      if (before && !isOther && String(before.grid) !== String(data.grid)) {
        state.board.shots = remap(state.board.shots, before.grid, data.grid);
        write();
      }
    } else {
      state.board = data.board;
      state.edited = false;
    }
    state.at = Math.min(state.at, shots().length - 1);
    render();
  }
  function sync() { // settings or a project were opened
    const text = field()?.value ?? "";
    if (text === (state.edited ? JSON.stringify(state.board) : "")) return;
    state.given = Boolean(text);
    if (!state.data) return;
    if (!text) { one("#mv-arrange-usual")?.click(); return; }
    try { state.board = JSON.parse(text); } catch { return; }
    Object.assign(state, { edited: true, past: [], future: [], at: 0 });
    render();
  }

  // ---- what is seen

  const pictureOf = (shot) => {
    const source = of(shot, "source");
    if (source) return state.data.media.find((each) => each.name === source)?.picture ?? "";
    return state.drawn[`${of(shot, "take")}|${of(shot, "prompt")}`] ?? "";
  };
  const sourceOf = (shot) => of(shot, "source") || state.data.given;
  const styleOf = (shot) => state.data.styles.find((each) => each[1] === of(shot, "style"))?.[0] ?? of(shot, "style");
  const isMissing = (shot) => Boolean(of(shot, "source")) && !state.data.media.some((each) => each.name === shot.source);
  function card(shot, at, begins) {
    const picture = pictureOf(shot), motion = of(shot, "motion"), missing = isMissing(shot), beyond = begins[at] >= state.data.grid.length;
    const beats = `${shot.beats} beat${shot.beats === 1 ? "" : "s"}`;
    const said = `Shot ${at + 1}, ${beats}, ${sourceOf(shot)}${missing ? ", missing" : ""}, ${SAID[motion]}${of(shot, "style") ? `, ${styleOf(shot)}` : ""}${of(shot, "locked") ? ", locked" : ""}`;
    return tag("li", { role: "option", tabIndex: at === state.at ? 0 : -1, "aria-selected": String(at === state.at), "aria-label": said, "data-at": at,
      className: `shot${of(shot, "locked") ? " locked" : ""}${missing ? " missing" : ""}${beyond ? " beyond" : ""}` },
    tag("div", { className: "seen" }, picture ? tag("img", { src: picture, alt: "", draggable: false }) : tag("span", {}, missing ? "File is missing" : of(shot, "prompt") || sourceOf(shot)),
      tag("b", {}, String(at + 1)), of(shot, "locked") ? tag("i", { className: "lock", title: "Locked" }, "🔒") : null,
      tag("i", { className: "grip", title: "Drag to move", "aria-hidden": "true" }, "⠿")),
    tag("div", { className: "told" }, tag("span", {}, beats), tag("span", { className: "name", title: sourceOf(shot) }, sourceOf(shot)), motion === "auto" ? null : tag("span", {}, SAID[motion]), of(shot, "style") ? tag("span", { className: "name", title: styleOf(shot) }, styleOf(shot)) : null));
  }
  const press = (name, label, title, off = false) => tag("button", { type: "button", "data-act": name, title, disabled: off, onclick: () => acts[name]() }, label);
  function tools() {
    const list = shots(), shot = list[state.at] ?? list[0], locked = of(shot, "locked"), source = of(shot, "source");
    const options = [tag("option", { value: "", selected: !source }, state.data.given), ...state.data.media.map((each) => tag("option", { value: each.name, selected: each.name === source }, each.name))];
    if (isMissing(shot)) options.push(tag("option", { value: source, selected: true }, `${source} (missing)`));
    const sourceBox = tag("select", { ariaLabel: "Source of the shot", disabled: locked, onchange: (event) => choose("source", event.target.value) }, ...options);
    const motionBox = tag("select", { ariaLabel: "Motion of the shot", disabled: locked, onchange: (event) => choose("motion", event.target.value) },
      ...state.data.motions.map((each) => tag("option", { value: each, selected: each === of(shot, "motion") }, SAID[each])));
    const styleBox = !source && state.data.given === "Drawn by rule" ? null : tag("select", { ariaLabel: "Style of the shot", disabled: locked, onchange: (event) => choose("style", event.target.value) },
      ...state.data.styles.map(([label, key]) => tag("option", { value: key, selected: key === of(shot, "style") }, key ? label : "Painted: as the whole video")));
    const wordsBox = source || state.data.given === "Drawn by rule" ? null : tag("input", { type: "text", value: of(shot, "prompt"), placeholder: "What the model draws: as the look", ariaLabel: "What the model draws", maxLength: 2000, disabled: locked, onchange: (event) => choose("prompt", event.target.value) });
    return tag("div", { className: "board-tools" },
      tag("div", { className: "group" }, press("play", "▶ Play", "Plays the song with the cards' pictures (P)"), press("undo", "↶", "Undo (Ctrl+Z)", !state.past.length), press("redo", "↷", "Redo (Ctrl+Y)", !state.future.length),
        press("arrange", "Arrange anew", "New shots for all that are not locked")),
      tag("div", { className: "group" }, tag("b", {}, `Shot ${state.at + 1}`), press("earlier", "←", "Earlier (Alt+←)", locked || !state.at), press("later", "→", "Later (Alt+→)", locked || state.at === list.length - 1),
        press("shorter", "−", "A beat shorter (−)", locked), press("longer", "+", "A beat longer (+)", locked), press("split", "Split", "Split in two (S)", locked || shot.beats < 2),
        press("merge", "Merge", "Merge with the next (M)", locked || !free(list, state.at + 1)), press("anew", "Draw anew", "Another take of this shot (R)", locked),
        press("lock", locked ? "Unlock" : "Lock", "Keep it as it is (L)")),
      tag("div", { className: "group wide" }, sourceBox, motionBox, styleBox, wordsBox));
  }
  function render(keepsFocus = false) {
    const place = one("#mv-board .board");
    if (!place || !state.data || !state.board) return;
    const focused = place.contains(document.activeElement) ? document.activeElement : null;
    const act = focused?.dataset.act, isCard = focused?.closest(".shot"), label = focused?.ariaLabel;
    const list = one(".shots", place), left = list?.scrollLeft ?? 0, top = list?.scrollTop ?? 0, begins = starts(shots());
    const cards = tag("ol", { className: "shots", role: "listbox", ariaLabel: "Shots" }, ...shots().map((shot, at) => card(shot, at, begins)));
    const [across, up] = state.data.aspect.split(":").map(Number);
    place.style.setProperty("--shape", `${across} / ${up}`);
    place.replaceChildren(tag("figcaption", {}, tag("b", {}, "Storyboard"), tag("span", {}, `${shots().length} shots, ${state.edited ? "as you arranged them" : "arranged from the beats"}`)), tools(), tag("div", { className: "stage", hidden: true }, tag("img", { alt: "" }), tag("span", {})), cards);
    cards.scrollLeft = left;
    cards.scrollTop = top;
    if (!focused && !keepsFocus) return;
    if (act) (one(`[data-act="${act}"]:not(:disabled)`, place) ?? one(".shot[tabindex='0']", place))?.focus();
    else if (isCard) one(".shot[tabindex='0']", place)?.focus();
    else if (label) all("select, input", place).find((each) => each.ariaLabel === label)?.focus();
  }
  function select(at, focuses = false) {
    state.at = Math.min(Math.max(0, at), shots().length - 1);
    const place = one("#mv-board .board");
    all(".shot", place).forEach((each, number) => { each.tabIndex = number === state.at ? 0 : -1; each.setAttribute("aria-selected", String(number === state.at)); });
    one(".board-tools", place)?.replaceWith(tools());
    if (focuses) { const chosen = all(".shot", place)[state.at]; chosen?.focus(); chosen?.scrollIntoView({ block: "nearest", inline: "nearest" }); }
  }

  // ---- the board as a preview: the cards' pictures in time with the song

  function play() {
    const sound = audio();
    if (!sound) return;
    if (!sound.paused) { sound.pause(); return; }
    sound.currentTime = state.data.grid[Math.min(starts(shots())[state.at] ?? 0, state.data.grid.length - 1)] ?? 0;
    sound.play()?.catch(() => {});
    follow();
  }
  function follow() {
    const place = one("#mv-board .board"), sound = audio(), stage = place && one(".stage", place);
    if (!stage || !sound) return;
    const plays = !sound.paused && !sound.ended;
    stage.hidden = !plays;
    const button = one('[data-act="play"]', place);
    if (button) button.textContent = plays ? "❚❚ Pause" : "▶ Play";
    if (!plays) return;
    const begins = starts(shots()).map((at) => state.data.grid[at] ?? Infinity);
    let at = 0;
    while (at + 1 < begins.length && begins[at + 1] <= sound.currentTime) at += 1;
    const shot = shots()[at], end = Math.min(begins[at + 1] ?? state.data.duration, state.data.duration), picture = pictureOf(shot);
    const share = Math.min(1, Math.max(0, (sound.currentTime - begins[at]) / Math.max(0.1, end - begins[at])));
    const image = one("img", stage), words = one("span", stage), way = share - 0.5;
    if (image.getAttribute("src") !== picture) { if (picture) image.src = picture; else image.removeAttribute("src"); }
    image.hidden = !picture;
    words.textContent = picture ? "" : of(shot, "prompt") || sourceOf(shot);
    const motion = of(shot, "motion") === "auto" ? (of(shot, "seed") % 3 ? "closer" : "away") : shot.motion;
    const grown = motion === "still" ? 1 : motion === "away" ? 1.12 - 0.12 * share : motion === "closer" ? 1 + 0.12 * share : 1.12;
    const aside = { left: [6, 0], right: [-6, 0], up: [0, 6], down: [0, -6] }[motion] ?? [0, 0];
    image.style.transform = `translate(${aside[0] * way}%, ${aside[1] * way}%) scale(${grown})`;
    if (at !== Number(stage.dataset.at)) { stage.dataset.at = at; all(".shot", place).forEach((each, number) => each.classList.toggle("now", number === at)); }
    requestAnimationFrame(follow);
  }
  for (const name of ["play", "pause", "ended"]) document.addEventListener(name, (event) => { if (event.target.closest?.("#mv-player")) follow(); }, true);

  // ---- hands

  document.addEventListener("click", (event) => {
    const chosen = event.target.closest?.("#mv-board .shot");
    if (chosen && !state.drag) select(Number(chosen.dataset.at), true);
  });
  document.addEventListener("keydown", (event) => {
    const board = event.target.closest?.("#mv-board .board");
    if (!board || !state.board) return;
    const typed = event.key.toLowerCase(), undoes = event.ctrlKey || event.metaKey;
    if (undoes && typed === "z" && event.target.tagName !== "INPUT") { event.preventDefault(); (event.shiftKey ? acts.redo : acts.undo)(); return; }
    if (undoes && typed === "y" && event.target.tagName !== "INPUT") { event.preventDefault(); acts.redo(); return; }
    if (!event.target.closest(".shot") || undoes) return;
    const sides = { arrowleft: -1, arrowright: 1 }, keys = { s: "split", m: "merge", l: "lock", r: "anew", p: "play", "+": "longer", "-": "shorter", "−": "shorter" };
    if (typed in sides) { if (event.altKey) acts[sides[typed] < 0 ? "earlier" : "later"](); else select(state.at + sides[typed], true); }
    else if (typed === "home" || typed === "end") select(typed === "home" ? 0 : shots().length - 1, true);
    else if (typed in keys && !event.altKey) acts[keys[typed]]();
    else return;
    event.preventDefault();
  });
  document.addEventListener("pointerdown", (event) => { // a card is dragged by its handle, or by the mouse anywhere
    const chosen = event.target.closest?.("#mv-board .shot");
    if (!chosen || event.button || (event.pointerType === "touch" && !event.target.closest(".grip"))) return;
    state.drag = { from: Number(chosen.dataset.at), x: event.clientX, y: event.clientY, to: null };
    if (event.target.closest(".grip")) event.preventDefault();
  });
  document.addEventListener("pointermove", (event) => {
    const drag = state.drag;
    if (!drag || (drag.to === null && Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < GRIP_PX)) return;
    event.preventDefault();
    const cards = all("#mv-board .shot");
    const under = document.elementFromPoint(event.clientX, event.clientY)?.closest?.("#mv-board .shot");
    drag.to = under ? Number(under.dataset.at) : drag.to ?? drag.from;
    cards.forEach((each, at) => { each.classList.toggle("dragged", at === drag.from); each.classList.toggle("before", at === drag.to && drag.to < drag.from); each.classList.toggle("after", at === drag.to && drag.to > drag.from); });
    const list = one("#mv-board .shots"), box = list.getBoundingClientRect();
    if (event.clientX > box.right - 40) list.scrollLeft += 12; else if (event.clientX < box.left + 40) list.scrollLeft -= 12;
  }, { passive: false });
  const drop = () => {
    const drag = state.drag;
    if (!drag) return;
    if (drag.to === null) { state.drag = null; return; }
    all("#mv-board .shot").forEach((each) => each.classList.remove("dragged", "before", "after"));
    move(drag.from, drag.to);
    setTimeout(() => { state.drag = null; }, 0); // the click that ends a drag chooses nothing
  };
  document.addEventListener("pointerup", drop);
  document.addEventListener("pointercancel", () => { if (state.drag) { state.drag.to = state.drag.from; drop(); } });

  let taking = 0;
  new MutationObserver(() => { if (one("#mv-board .board[data-board]:not([data-taken])")) { clearTimeout(taking); taking = setTimeout(take, 30); } })
    .observe(document.documentElement, { childList: true, subtree: true });
  window.auralumeBoard = { sync };
})();
