// The Library tab and the shelf under all tabs: cards that play, are sent on, opened again, compared, deleted and had back.
(() => {
  const PAGE = 60, PART_ROWS = 10, SHELF = 12, MOST_JOBS = 6, LOOK_MS = 2500, UNDO_MS = 12_000;
  const address = (path) => new URL("library/" + path, location.href.split(/[?#]/)[0]).href;
  const h = window.auralumeMake;
  const icon = (path) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24"); svg.setAttribute("aria-hidden", "true");
    const shape = document.createElementNS("http://www.w3.org/2000/svg", "path");
    shape.setAttribute("d", path); svg.append(shape);
    return svg;
  };
  const ICONS = {
    play: "M8 5v14l11-7z", pause: "M7 5h4v14H7zM13 5h4v14h-4z", close: "M6 6l12 12M18 6L6 18", notes: "M9 18V6l11-2v12",
    star: "M12 3l2.8 5.9 6.2.8-4.6 4.4 1.2 6.3L12 17.3 6.4 20.4l1.2-6.3L3 9.7l6.2-.8z",
  };
  const server = {
    ask: async (path) => answer(await fetch(address(path))),
    tell: async (path, what) => answer(await fetch(address(path), { method: "POST", body: JSON.stringify(what) })),
    file: (item, name, download = false) => address(`file/${item.id}/${encodeURIComponent(name)}${download ? "?download=1" : ""}`),
  };
  let keeper = null; // the server, or on a Space this browser
  const keeps = () => (keeper ??= document.querySelector(".library[data-keeps]")?.dataset.keeps === "browser" ? window.auralumeBrowserLibrary(server) : server);
  const ask = (path) => keeps().ask(path);
  const tell = (path, what) => keeps().tell(path, what);
  async function answer(reply) {
    const found = await reply.json().catch(() => ({ problem: "The studio did not answer; is it still running?" }));
    if (!reply.ok) throw new Error(found.problem ?? "The studio did not answer; is it still running?");
    return found;
  }
  const fileAddress = (item, name, download = false) => keeps().file(item, name, download);
  const clock = (seconds) => (seconds < 60 ? `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`);
  const size = (bytes) => (bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`);
  const ago = (created) => {
    const minutes = (Date.now() / 1000 - created) / 60;
    if (minutes < 1) return "just now";
    if (minutes < 60) return `${Math.round(minutes)} min ago`;
    if (minutes < 60 * 24) return `${Math.round(minutes / 60)} h ago`;
    return new Date(created * 1000).toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" });
  };
  const heard = (item) => item.files.find((file) => file.media === "sound");
  const seen = (item) => item.files.find((file) => file.media === "film");
  const meta = (item) => [item.kind_name, item.length_s ? clock(item.length_s) : null, ago(item.created_s)].filter(Boolean).join(" · ");

  let state = { version: -1, kinds: [], count: 0 }, items = [], hasMore = false, loading = false, chosen = new Set(), intakes = null;
  let wish = { words: "", kinds: new Set(), favourite: false }, dragged = null;

  // ---- words at the foot of the page

  let toastEnd = 0;
  function toast(said, label, act) {
    let place = document.getElementById("library-toast");
    if (!place) { place = h("div", { id: "library-toast", role: "status", className: "library" }); document.querySelector(".gradio-container")?.append(place); }
    const button = label ? h("button", { type: "button", onclick: () => { place.replaceChildren(); act(); } }, label) : null;
    place.replaceChildren(h("span", {}, said), ...(button ? [button] : []), h("button", { type: "button", className: "close", ariaLabel: "Close", onclick: () => place.replaceChildren() }, icon(ICONS.close)));
    clearTimeout(toastEnd);
    toastEnd = setTimeout(() => place.replaceChildren(), UNDO_MS);
  }
  const guard = (work) => async (...values) => { try { return await work(...values); } catch (error) { toast(error.message); return undefined; } };

  // ---- playing in place: one thing at a time

  const audio = new Audio();
  let playing = null;
  const mark = () => document.querySelectorAll(".library [data-plays]").forEach((each) => {
    const here = playing === each.dataset.plays;
    each.classList.toggle("playing", here && !audio.paused);
    each.style.setProperty("--at", here && audio.duration ? `${(100 * audio.currentTime) / audio.duration}%` : "0%");
    const button = each.querySelector(".play");
    if (button) { const plays = here && !audio.paused; button.ariaLabel = plays ? "Pause" : "Play"; button.replaceChildren(icon(plays ? ICONS.pause : ICONS.play)); }
  });
  for (const name of ["play", "pause", "ended", "timeupdate", "seeked"]) audio.addEventListener(name, mark);
  document.addEventListener("play", (event) => { if (event.target !== audio) audio.pause(); }, true);
  function play(item, share = null) {
    const file = heard(item);
    if (!file) return;
    if (playing === item.id && share === null) { if (audio.paused) audio.play().catch(() => {}); else audio.pause(); return; }
    document.querySelectorAll("audio, video").forEach((each) => each.pause());
    const begin = () => { if (share !== null && audio.duration) audio.currentTime = share * audio.duration; audio.play().catch(() => {}); };
    if (playing !== item.id) { playing = item.id; audio.src = fileAddress(item, file.name); audio.addEventListener("loadedmetadata", begin, { once: true }); audio.load(); } else begin();
    mark();
  }

  function wave(item) {
    const loudest = Math.max(20, ...item.peaks);
    const steps = item.peaks.map((peak, at) => { const tall = Math.max(1, (46 * peak) / loudest); return `M${at + 0.5} ${50 - tall}V${50 + tall}`; }).join("");
    const layer = (name) => {
      const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      svg.setAttribute("viewBox", `0 0 ${item.peaks.length} 100`); svg.setAttribute("preserveAspectRatio", "none"); svg.setAttribute("class", name); svg.setAttribute("aria-hidden", "true");
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      path.setAttribute("d", steps); svg.append(path);
      return svg;
    };
    return h("div", { className: "wave", onclick: (event) => { event.stopPropagation(); const box = event.currentTarget.getBoundingClientRect(); play(item, (event.clientX - box.left) / box.width); } }, layer("rest"), layer("heard"));
  }

  function view(item) {
    const film = seen(item), place = h("div", { className: "view" });
    if (item.picture) place.append(h("img", { src: fileAddress(item, "preview.jpg"), alt: "", loading: "lazy", draggable: false }));
    else if (item.peaks.length) place.append(wave(item));
    else place.append(h("div", { className: "blank" }, icon(ICONS.notes)));
    if (film || heard(item)) {
      const start = (event) => {
        event.stopPropagation();
        if (!film) { play(item); return; }
        const video = h("video", { src: fileAddress(item, film.name), controls: true, autoplay: true, playsInline: true, loop: item.length_s < 6 });
        video.addEventListener("click", (inner) => inner.stopPropagation());
        place.replaceChildren(video);
      };
      place.append(h("button", { type: "button", className: "play", ariaLabel: "Play", onclick: start }, icon(ICONS.play)));
    }
    return place;
  }

  function star(item) {
    const button = h("button", { type: "button", className: `star${item.favourite ? " on" : ""}`, ariaLabel: "Favourite", ariaPressed: String(item.favourite) }, icon(ICONS.star));
    button.addEventListener("click", guard(async (event) => { event.stopPropagation(); await tell("change", { id: item.id, favourite: !item.favourite }); await look(true); }));
    return button;
  }

  function card(item, isSmall = false) {
    const pick = isSmall ? null : h("input", { type: "checkbox", className: "pick", ariaLabel: `Choose ${item.title}`, checked: chosen.has(item.id), onclick: (event) => { event.stopPropagation(); choose(item.id, event.target.checked); } });
    const element = h("article", { className: `result-card${isSmall ? " small" : ""}`, draggable: true, tabIndex: 0, ariaLabel: `${item.title}, ${meta(item)}`, onclick: () => details(item.id) },
      view(item), h("div", { className: "about" }, h("b", { title: item.title }, item.title), h("span", {}, meta(item))), star(item), pick);
    element.dataset.id = item.id;
    element.dataset.plays = item.id;
    element.addEventListener("keydown", (event) => {
      if (event.target !== element) return;
      if (event.key === "Enter") details(item.id);
      else if (event.key === " ") { event.preventDefault(); element.querySelector(".play")?.click(); }
      else if (event.key === "Delete") remove([item.id]);
    });
    element.addEventListener("dragstart", (event) => { dragged = item; event.dataTransfer.effectAllowed = "copy"; event.dataTransfer.setData("text/plain", item.title); needIntakes().then(() => lightIntakes(item)); });
    element.addEventListener("dragend", () => { dragged = null; lightIntakes(null); });
    return element;
  }

  // ---- the Library tab

  const root = () => document.getElementById("library-root");
  function layout() {
    const place = root();
    if (!place || place.childElementCount) return;
    const search = h("input", { type: "search", placeholder: "Search words, tags, models", ariaLabel: "Search the library", id: "library-search" });
    let pause = 0;
    search.addEventListener("input", () => { clearTimeout(pause); pause = setTimeout(() => { wish.words = search.value; refill(); }, 180); });
    const more = h("div", { id: "library-more" });
    place.append(
      h("div", { className: "bar" }, search, h("div", { id: "library-kinds", className: "kinds", role: "group", ariaLabel: "Kinds" }), h("span", { id: "library-usage", className: "usage" })),
      h("div", { id: "library-chosen", className: "chosen", hidden: true }),
      check(),
      h("div", { id: "library-grid", className: "parts" }), more,
    );
    regroup.observe(document.getElementById("library-grid"));
    new IntersectionObserver((entries) => { if (entries.some((each) => each.isIntersecting) && hasMore) fill(); }, { rootMargin: "900px" }).observe(more);
  }

  // a file from anywhere tells where it comes from
  function check() {
    const input = h("input", { type: "file", id: "library-check-file", onchange: () => { if (input.files[0]) verify(input.files[0]); input.value = ""; } });
    const place = h("label", { id: "library-check", className: "check" }, "Drop a file here, or choose one, to see whether it was generated and how", input);
    place.addEventListener("dragover", (event) => { event.preventDefault(); });
    place.addEventListener("drop", (event) => { event.preventDefault(); const file = event.dataTransfer.files[0]; if (file) verify(file); });
    return place;
  }
  const verify = guard(async (file) => {
    const found = await answer(await fetch(address(`verify?name=${encodeURIComponent(file.name)}`), { method: "POST", body: file }));
    dialog(`Where ${file.name} comes from`, h("h3", {}, file.name), h("ul", { className: "findings" }, ...found.said.map((each) => h("li", {}, each))),
      found.item ? h("button", { type: "button", className: "main", onclick: () => details(found.item) }, "Show it") : null);
  });

  function layoutBar() {
    const kinds = document.getElementById("library-kinds"), usage = document.getElementById("library-usage");
    if (!kinds) return;
    const chip = (label, on, act) => h("button", { type: "button", className: on ? "on" : "", ariaPressed: String(on), onclick: act }, label);
    kinds.replaceChildren(
      chip("★ Favourites", wish.favourite, () => { wish.favourite = !wish.favourite; refill(); }),
      ...state.kinds.map((each) => chip(`${each.name} ${each.count}`, wish.kinds.has(each.kind), () => { if (!wish.kinds.delete(each.kind)) wish.kinds.add(each.kind); refill(); })),
    );
    const share = state.quota_bytes ? state.total_bytes / state.quota_bytes : 0;
    const room = state.quota_bytes ? ` of ${size(state.quota_bytes)}` : "";
    usage.textContent = `${state.count.toLocaleString()} ${state.count === 1 ? "result" : "results"}, ${size(state.bytes ?? 0)}${room}. ${state.note ? `${state.note}. ` : ""}${!room ? "" : share > 0.9 ? "Nearly full: the oldest without a star make room for new ones." : "When it is full, the oldest without a star make room."}`;
    usage.classList.toggle("full", share > 0.9);
  }

  // parts of whole rows, so that no row between two of them has a hole
  let columns = 1;
  function countColumns(grid) {
    const sizes = getComputedStyle(grid), of = (name) => parseFloat(sizes.getPropertyValue(name)), gap = of("--gap");
    return grid.clientWidth ? Math.max(1, Math.floor((grid.clientWidth + gap) / (of("--least") + gap))) : columns;
  }
  const regroup = new ResizeObserver(([{ target }]) => {
    if (countColumns(target) === columns) return;
    const cards = target.querySelectorAll(":scope > .grid > *");
    if (cards.length) { target.replaceChildren(); placeCards(target, cards); }
  });
  function placeCards(grid, cards) {
    columns = countColumns(grid);
    const full = PART_ROWS * columns;
    for (const each of cards) {
      if (!grid.lastElementChild || grid.lastElementChild.childElementCount >= full) grid.append(h("div", { className: "grid" }));
      grid.lastElementChild.append(each);
    }
  }

  let asked = 0;
  async function fill(isFresh = false) {
    if (!isFresh && loading) return;
    const mine = ++asked, most = isFresh ? Math.min(500, Math.max(PAGE, items.length)) : PAGE;
    loading = true;
    const query = new URLSearchParams({ words: wish.words, kinds: [...wish.kinds].join(","), favourite: wish.favourite ? "1" : "", before: isFresh ? "" : items.at(-1)?.id ?? "", most });
    const found = await ask(`items?${query}`).catch((error) => { toast(error.message); return null; });
    if (mine !== asked) return; // another question was asked meanwhile
    loading = false;
    const grid = document.getElementById("library-grid");
    if (!found || !grid) return;
    hasMore = found.items.length === most;
    if (isFresh) { items = []; grid.replaceChildren(); }
    items.push(...found.items);
    placeCards(grid, found.items.map((item) => card(item)));
    if (!items.length) grid.replaceChildren(h("p", { className: "empty" }, wish.words || wish.kinds.size || wish.favourite ? "Nothing in your library is like that." : "What you make in any tab is kept here. Nothing was made yet."));
    mark();
  }
  async function refill() { layoutBar(); if (root()) await fill(true); }

  // ---- several at once

  function choose(id, on) { if (on) chosen.add(id); else chosen.delete(id); layoutChosen(); }
  function layoutChosen() {
    const place = document.getElementById("library-chosen");
    if (!place) return;
    place.hidden = !chosen.size;
    const ids = [...chosen];
    place.replaceChildren(...[h("b", {}, `${ids.length} chosen`),
      keeps().zip ? h("button", { type: "button", id: "library-zip", onclick: guard(() => packHere(ids)) }, "Download as ZIP")
        : h("a", { href: address(`zip?ids=${ids.join(",")}`), download: "", id: "library-zip" }, "Download as ZIP"),
      ids.length === 2 ? h("button", { type: "button", id: "library-compare", onclick: () => compare(ids) }, "Compare") : null,
      h("button", { type: "button", id: "library-delete", onclick: () => remove(ids) }, "Delete"),
      h("button", { type: "button", onclick: () => { chosen.clear(); document.querySelectorAll(".library .pick").forEach((each) => { each.checked = false; }); layoutChosen(); } }, "Choose none")].filter(Boolean));
  }
  async function packHere(ids) {
    const url = URL.createObjectURL(await keeps().zip(ids));
    h("a", { href: url, download: `auralume-${ids.length}-results.zip` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }
  const remove = guard(async (ids) => {
    const { ids: gone } = await tell("delete", { ids });
    gone.forEach((id) => chosen.delete(id));
    if (gone.includes(playing)) audio.pause();
    close();
    await look(true);
    toast(gone.length === 1 ? "The result was deleted" : `${gone.length} results were deleted`, "Undo", guard(async () => { await tell("restore", { ids: gone }); await look(true); }));
  });

  // ---- dialogs

  let before = null;
  function dialog(label, ...inside) {
    let place = document.getElementById("library-dialog");
    if (!place) { place = h("dialog", { id: "library-dialog", className: "library" }); place.addEventListener("click", (event) => { if (event.target === place) close(); }); place.addEventListener("close", () => { place.replaceChildren(); before?.focus?.(); }); document.querySelector(".gradio-container")?.append(place); }
    if (!place.open) before = document.activeElement;
    place.ariaLabel = label;
    place.replaceChildren(h("button", { type: "button", className: "close", ariaLabel: "Close", onclick: close }, icon(ICONS.close)), ...inside.filter(Boolean));
    if (!place.open) place.showModal();
    place.scrollTop = 0;
    mark();
  }
  function close() { const place = document.getElementById("library-dialog"); if (place?.open) place.close(); }

  const details = guard(async (id) => {
    const item = await ask(`item?id=${id}`), targets = await targetsOf(item);
    const title = h("input", { className: "title", value: item.title, ariaLabel: "Title", maxLength: 120 });
    const tags = h("input", { value: item.tags.join(", "), ariaLabel: "Tags", placeholder: "Tags, with commas between them" });
    title.addEventListener("change", guard(async () => { await tell("change", { id, title: title.value }); await look(true); }));
    tags.addEventListener("change", guard(async () => { await tell("change", { id, tags: tags.value.split(",") }); await look(true); }));
    const media = h("div", { className: "stage" }, view(item));
    media.dataset.plays = item.id;
    const send = targets.length ? h("select", { ariaLabel: "Send to", id: "library-send", onchange: (event) => { const target = targets[event.target.value]; if (target) { close(); sendTo(item, target); } } }, h("option", { value: "" }, "Send to …"), ...targets.map((each, at) => h("option", { value: at }, each.label))) : null;
    dialog(item.title,
      media,
      h("div", { className: "facts" }, title, h("p", { className: "meta" }, meta(item), item.model ? ` · ${item.model}` : "", item.seed !== null ? ` · seed ${item.seed}` : ""), tags,
        h("div", { className: "row" },
          item.open ? h("button", { type: "button", className: "main", id: "library-open", onclick: () => { close(); open(item); } }, "Open where it was made") : null,
          item.repeats ? h("button", { type: "button", id: "library-more-like", onclick: guard(async () => { await tell("more", { id }); close(); toast("Four more like this are being made"); await look(true); }) }, "Make four more") : null,
          send, h("button", { type: "button", onclick: () => remove([id]) }, "Delete"), star(item)),
        h("div", { className: "row files" }, ...item.files.map((file) => h("a", { href: fileAddress(item, file.name, true), download: file.name, title: `${file.name}, ${size(file.bytes)}` }, (file.name.split(".").at(-1) ?? file.role).toUpperCase()))),
        item.missing ? h("p", { className: "meta missing" }, item.missing) : null,
        item.prompt ? h("blockquote", {}, item.prompt) : null,
        item.family.length > 1 ? h("section", {}, h("h3", {}, "What came from what"), tree(item)) : null,
        item.settings.length ? h("details", {}, h("summary", {}, "Settings"), table(item.settings)) : null));
  });

  const table = (rows) => h("table", {}, h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map((cell, at) => h(at ? "td" : "th", {}, cell))))));

  function tree(item) {
    const byId = new Map(item.family.map((each) => [each.id, each])), children = new Map(), hasParent = new Set(), done = new Set();
    for (const [parent, child] of item.edges) { children.set(parent, [...(children.get(parent) ?? []), child]); hasParent.add(child); }
    const branch = (id) => {
      if (done.has(id)) return null;
      done.add(id);
      const one = byId.get(id), below = (children.get(id) ?? []).map(branch).filter(Boolean);
      return h("li", {}, h("button", { type: "button", className: id === item.id ? "here" : "", onclick: () => details(id) }, `${one.kind_name}: ${one.title}`), below.length ? h("ul", {}, ...below) : null);
    };
    return h("ul", { className: "tree" }, ...item.family.filter((each) => !hasParent.has(each.id)).map((each) => branch(each.id)));
  }

  const compare = guard(async (ids) => {
    const pair = await Promise.all(ids.map((id) => ask(`item?id=${id}`)));
    const players = pair.map((item) => {
      const film = seen(item), sound = heard(item);
      if (film) return h("video", { src: fileAddress(item, film.name), controls: true, playsInline: true });
      if (sound) return h("audio", { src: fileAddress(item, sound.name), controls: true });
      return item.picture ? h("img", { src: fileAddress(item, "preview.jpg"), alt: item.title }) : h("p", {}, "Nothing to play");
    });
    const moving = players.filter((each) => each instanceof HTMLMediaElement);
    let first = 0;
    const hear = () => moving.forEach((each, at) => { each.muted = at !== first; });
    const together = h("div", { className: "row" },
      h("button", { type: "button", className: "main", onclick: () => { hear(); const isOn = moving.some((each) => !each.paused); moving.forEach((each) => { if (isOn) each.pause(); else each.play().catch(() => {}); }); } }, "Play both"),
      h("button", { type: "button", onclick: () => { first = 1 - first; hear(); together.querySelector("output").textContent = `You hear ${first ? "the second" : "the first"}`; } }, "Hear the other"), h("output", {}, "You hear the first"));
    const rows = new Map();
    pair.forEach((item, at) => [["Model", item.model], ["Seed", String(item.seed ?? "")], ...item.settings].forEach(([name, value]) => rows.set(name, Object.assign(rows.get(name) ?? ["", ""], { [at]: value }))));
    const different = [...rows].filter(([, values]) => values[0] !== values[1]).map(([name, values]) => [name, ...values]);
    dialog("Compare two results", h("div", { className: "pair" }, ...pair.map((item, at) => h("figure", {}, players[at], h("figcaption", {}, h("b", {}, item.title), h("span", {}, meta(item)))))),
      moving.length === 2 ? together : null,
      different.length ? h("section", {}, h("h3", {}, "What is different"), table(different)) : h("p", {}, "Made with the same settings."));
  });

  // ---- from anything to anything

  async function needIntakes() { intakes ??= (await ask("intakes")).intakes; return intakes; }
  const taken = (item, intake) => item.files.find((file) => intake.media.includes(file.media));
  async function targetsOf(item) {
    const found = (await needIntakes()).filter((intake) => taken(item, intake));
    return found.map((intake) => ({ ...intake, label: `${intake.path[0]}: ${intake.label}` }));
  }
  const sendTo = guard(async (item, intake, file = taken(item, intake)) => {
    const arriving = fetch(fileAddress(item, file.name)).then((reply) => { if (!reply.ok) throw new Error("The file is not in your library any more."); return reply.blob(); });
    await window.auralumeTabs.open(intake.path);
    const place = await window.auralumeTabs.until(() => document.getElementById(intake.elem_id));
    if (!place) throw new Error(`${intake.path.join(", ")} has no place for it just now.`);
    for (let at = place; at; at = at.parentElement) { const fold = at.previousElementSibling; if (at.offsetParent === null && fold?.matches?.("button.label-wrap:not(.open)")) fold.click(); }
    if (!await window.auralumeGive(place, arriving, file.name, intake.is_many)) throw new Error(`${intake.label} takes no file just now.`);
    place.scrollIntoView({ block: "center", behavior: "smooth" });
    toast(`“${item.title}” is in ${intake.path[0]}: ${intake.label.replace(`${intake.path[0]}: `, "")}`);
  });

  const open = guard(async (item) => {
    if (keeps() !== server) { // the server has no such item: the form reads the settings in its file
      await sendTo(item, { path: item.open.path, elem_id: `${item.open.prefix}-given`, label: "Settings", media: [] }, { name: item.open.name });
    } else {
      await window.auralumeTabs.open(item.open.path);
      const field = await window.auralumeTabs.until(() => document.querySelector(`#${item.open.prefix}-open textarea, #${item.open.prefix}-open input`));
      if (!field) throw new Error("The tab is not there just now.");
      window.auralumeFill(field, `${item.id} ${Date.now()}`);
    }
    toast(`Settings of “${item.title}” restored`);
    for (const [name, source] of Object.entries(item.inputs)) {
      const intake = (await needIntakes()).find((each) => each.name === name && each.path.join() === item.open.path.join());
      if (intake) await sendTo({ id: source.item, title: source.name }, intake, { name: source.name });
    }
  });

  // a part of what "Make something" made: its tab is opened, and its settings are put back once it is in the library
  const openPart = guard(async (tab, name) => {
    const { items: latest } = await ask("items?most=40").catch(() => ({ items: [] }));
    const found = latest.find((item) => item.files.some((file) => file.name === name));
    if (found) { const item = await ask(`item?id=${found.id}`); if (item.open) { await open(item); return; } }
    await window.auralumeTabs.open([tab]);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(".open-part");
    if (button) openPart(button.dataset.tab, button.dataset.file);
  });

  function lightIntakes(item) {
    for (const intake of intakes ?? []) document.getElementById(intake.elem_id)?.classList.toggle("takes-result", Boolean(item && taken(item, intake)));
  }
  const intakeAt = (target) => (intakes ?? []).find((intake) => dragged && taken(dragged, intake) && target.closest?.(`#${CSS.escape(intake.elem_id)}`));
  let over = 0, overTab = null;
  document.addEventListener("dragover", (event) => {
    if (!dragged) return;
    if (intakeAt(event.target)) { event.preventDefault(); event.stopPropagation(); event.dataTransfer.dropEffect = "copy"; }
    const tab = event.target.closest?.("#studio-tabs button[role=tab], #studio-tabs .overflow-menu button"); // a narrow bar has some in its menu
    if (tab !== overTab) { overTab = tab; clearTimeout(over); if (tab) over = setTimeout(() => { tab.click(); for (const wait of [150, 500, 1000, 2000]) setTimeout(() => lightIntakes(dragged), wait); }, 450); }
  }, true);
  document.addEventListener("drop", (event) => {
    const intake = dragged && intakeAt(event.target), item = dragged;
    if (!intake) return;
    event.preventDefault(); event.stopPropagation();
    sendTo(item, intake);
  }, true);

  // ---- the shelf

  async function refillShelf() {
    const place = document.getElementById("library-shelf-root");
    if (!place) return;
    const { items: latest } = await ask(`items?most=${SHELF}`);
    place.hidden = !latest.length && !state.jobs?.length;
    place.querySelectorAll("header, .strip").forEach((each) => each.remove());
    if (latest.length) place.append(h("header", {}, h("h2", {}, "Your latest results"), h("button", { type: "button", onclick: () => window.auralumeTabs.open(["Library"]) }, "All in the library")),
      h("div", { className: "strip" }, ...latest.map((item) => card(item, true))));
    mark();
  }

  // ---- jobs: what runs and waits, and what was cut off when the studio ended

  const make = guard(async (job) => {
    await window.auralumeTabs.open(job.path);
    const field = await window.auralumeTabs.until(() => document.querySelector(`#${job.prefix}-open textarea, #${job.prefix}-open input`));
    if (!field) throw new Error("The tab is not there just now.");
    window.auralumeFill(field, `job:${job.id} press:${job.press} ${Date.now()}`); // pressed once the form has its values
  });
  const jobRow = (job) => {
    const isLost = job.state === "lost", share = job.share === null || job.share === undefined ? null : Math.round(100 * job.share);
    const row = h("li", { className: "job" },
      h("div", {}, h("b", {}, job.title), h("span", {}, isLost ? "The studio was ended while it made this" : [job.what, job.left].filter(Boolean).join(" · "))),
      isLost && job.press ? h("button", { type: "button", className: "again", onclick: () => make(job) }, "Make it again") : null,
      isLost ? h("button", { type: "button", onclick: guard(async () => { await tell("forget", { job: job.id }); await look(true); }) }, "Forget it")
        : h("button", { type: "button", className: "cancel", onclick: guard(async () => { await tell("stop", { job: job.id }); await look(true); }) }, job.state === "waiting" ? "Cancel" : "Stop"),
      share === null ? null : h("progress", { value: share, max: 100, ariaLabel: job.title }));
    row.dataset.job = job.id;
    return row;
  };
  const restRow = (rest) => {
    const lost = rest.filter((job) => job.state === "lost"), open = rest.filter((job) => job.state !== "lost");
    const forAll = (jobs, path) => guard(async () => { for (const job of jobs) await tell(path, { job: job.id }); await look(true); });
    return h("li", { className: "job rest" },
      h("div", {}, h("b", {}, `${rest.length} more`), h("span", {}, open.length ? "in the queue" : "cut off when the studio was ended")),
      open.length ? h("button", { type: "button", className: "cancel", onclick: forAll(open, "stop") }, `Cancel these ${open.length}`) : null,
      lost.length ? h("button", { type: "button", onclick: forAll(lost, "forget") }, `Forget these ${lost.length}`) : null);
  };
  function layoutJobs() {
    const place = document.getElementById("library-shelf-root"), jobs = state.jobs ?? [];
    if (!place) return;
    let list = document.getElementById("library-jobs");
    if (!list) { list = h("ul", { id: "library-jobs", ariaLabel: "Your jobs" }); place.prepend(list); }
    if (jobs.length) place.hidden = false;
    if (list.hidden === !!jobs.length) list.hidden = !jobs.length; // an idle page is left alone
    const focused = document.activeElement?.closest?.("#library-jobs li")?.dataset.job, isButton = document.activeElement?.className;
    const shownJobs = jobs.slice(0, MOST_JOBS), rest = jobs.slice(MOST_JOBS);
    list.replaceChildren(...shownJobs.map(jobRow), ...(rest.length ? [restRow(rest)] : []));
    if (focused) list.querySelector(`li[data-job="${focused}"] button.${CSS.escape(isButton || "cancel")}`)?.focus();
  }

  // ---- looking for news

  let looking = false, busy = false, skipped = 0;
  async function look(isChanged = false) {
    if (looking && !isChanged) return;
    looking = true;
    try {
      const found = await ask("state"), isNew = found.version !== state.version;
      state = found;
      layoutJobs();
      busy = found.jobs.some((job) => job.state !== "lost");
      if (isNew || isChanged) { layoutBar(); layoutChosen(); await Promise.all([root()?.childElementCount ? refill() : null, refillShelf()]); }
    } catch { /* the studio is not there just now; the page says so itself */ } finally { looking = false; }
  }
  let timer = 0;
  async function mount() {
    layout();
    if (!timer) { timer = setInterval(() => { if (!document.hidden && (busy || ++skipped % 3 === 0)) look(); }, LOOK_MS / 3); await look(true); }
    else if (root() && !items.length) { layoutBar(); await refill(); }
    const wanted = new URL(location.href).searchParams.get("item");
    if (wanted && root() && !document.getElementById("library-dialog")?.open) details(wanted);
  }
  const pressed = guard(async (asked) => { // what was cut off is begun again: its values are back in the form
    const [what, press] = asked.split(" ");
    if (!press?.startsWith("press:")) return;
    await new Promise((done) => setTimeout(done, 150));
    document.getElementById(press.slice("press:".length))?.click();
    await tell("forget", { job: what.slice("job:".length) });
    await look(true);
  });
  window.auralumeLibrary = { pressed, mount, look, details, open, sendTo, remove };
})();
