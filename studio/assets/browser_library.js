// A library that the browser keeps, as on a Space: the server passes each result on and forgets it. It answers what
// library.js asks, from IndexedDB, or from memory where this page gets no storage.
window.auralumeBrowserLibrary = (server) => {
  const NAME = "auralume-library", STORE = "items", UNDO_S = 600, PREVIEW = "preview.jpg";
  const records = new Map(); // id -> { id, item, files: { name: Blob }, deleted_s }
  const urls = new Map();
  let database = null, isKept = true, changes = 0, collecting = null;

  // ---- what holds the records

  const done = (request) => new Promise((fine, failed) => { request.onsuccess = () => fine(request.result); request.onerror = () => failed(request.error); });
  async function openDatabase() {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
    const found = await done(request);
    found.onversionchange = () => found.close();
    return found;
  }
  const table = (mode) => database.transaction(STORE, mode).objectStore(STORE);
  async function read() {
    for (const record of await done(table("readonly").getAll())) records.set(record.id, record);
    const old = Date.now() / 1000 - UNDO_S;
    for (const record of [...records.values()]) if (record.deleted_s && record.deleted_s < old) await drop(record.id);
  }
  const ready = (async () => {
    try { database = await openDatabase(); await read(); } catch { database = null; isKept = false; }
  })();

  async function put(record) {
    records.set(record.id, record);
    changes += 1;
    for (let tries = 0; database && tries < 12; tries += 1) {
      try { await done(table("readwrite").put(record)); return; } catch (error) {
        const oldest = [...records.values()].filter((each) => !each.item.favourite && each.id !== record.id).sort((a, b) => (a.id < b.id ? -1 : 1))[0];
        if (error?.name !== "QuotaExceededError" || !oldest) { isKept = false; return; }
        await drop(oldest.id);
      }
    }
  }
  async function drop(id) {
    const record = records.get(id);
    records.delete(id);
    changes += 1;
    for (const name of Object.keys(record?.files ?? {})) { const url = urls.get(`${id}/${name}`); if (url) { URL.revokeObjectURL(url); urls.delete(`${id}/${name}`); } }
    if (database) await done(table("readwrite").delete(id)).catch(() => {});
  }

  // ---- what the server passes on

  async function take(id) {
    const item = await server.ask(`item?id=${id}`), files = {};
    const names = item.files.map((file) => file.name).concat(item.picture ? [PREVIEW] : []);
    for (const name of names) {
      const reply = await fetch(server.file(item, name));
      if (!reply.ok) throw new Error("gone"); // another window of this browser was first
      files[name] = await reply.blob();
    }
    await put({ id, item: { ...item, repeats: false, missing: "" }, files, deleted_s: null });
    await server.tell("taken", { ids: [id] });
  }
  async function collect() {
    const { items } = await server.ask("items?most=500");
    for (const { id } of items.reverse()) { if (!records.has(id)) await take(id).catch(() => {}); else await server.tell("taken", { ids: [id] }); }
    if (items.length && database) navigator.storage?.persist?.().catch(() => {});
    if (items.length && database) for (const record of await done(table("readonly").getAll())) if (!records.has(record.id)) records.set(record.id, record);
  }

  // ---- answers

  const here = () => [...records.values()].filter((each) => !each.deleted_s).map((each) => each.item).sort((a, b) => (a.id < b.id ? 1 : -1));
  const sizeOf = (item) => item.files.reduce((sum, file) => sum + file.bytes, 0);
  async function state() {
    const found = await server.ask("state");
    if (found.count) { collecting ??= collect().finally(() => { collecting = null; }); await collecting; }
    const items = here(), counts = new Map();
    for (const item of items) counts.set(item.kind, { kind: item.kind, name: item.kind_name, count: (counts.get(item.kind)?.count ?? 0) + 1 });
    const bytes = items.reduce((sum, item) => sum + sizeOf(item), 0);
    const room = database ? await navigator.storage?.estimate?.().catch(() => null) : null;
    const note = isKept ? "They are kept in this browser alone" : "This browser gives the page no storage, so results last until you close it: download what you want to keep";
    return { version: `${found.version} ${changes} ${items.length}`, count: items.length, bytes, total_bytes: bytes, quota_bytes: room?.quota ?? 0, jobs: found.jobs, kinds: [...counts.values()].sort((a, b) => (a.kind < b.kind ? -1 : 1)), note };
  }
  function list(asked) {
    const words = (asked.get("words") ?? "").toLowerCase().split(/\s+/).filter(Boolean), kinds = (asked.get("kinds") ?? "").split(",").filter(Boolean);
    const isLike = (item) => {
      const said = [item.title, item.prompt, ...item.tags, item.model, item.kind, item.kind_name].join("\n").toLowerCase();
      return words.every((word) => said.includes(word)) && (!kinds.length || kinds.includes(item.kind)) && (!asked.get("favourite") || item.favourite) && (!asked.get("before") || item.id < asked.get("before"));
    };
    return { items: here().filter(isLike).slice(0, Number(asked.get("most") ?? 60)) };
  }
  function details(id) {
    const record = records.get(id);
    if (!record) throw new Error("This item is not in your library any more.");
    const edges = [...records.values()].flatMap((each) => each.item.edges).filter(([parent, child]) => records.has(parent) && records.has(child));
    const family = new Set([id]);
    for (let size = 0; size !== family.size;) { size = family.size; for (const [parent, child] of edges) if (family.has(parent) || family.has(child)) { family.add(parent); family.add(child); } }
    const own = new Map(edges.filter(([parent]) => family.has(parent)).map((edge) => [edge.join(), edge]));
    return { ...record.item, family: [...family].sort().map((each) => records.get(each).item), edges: [...own.values()] };
  }
  async function ask(path) {
    await ready;
    const [name, query] = path.split("?"), asked = new URLSearchParams(query);
    if (name === "state") return state();
    if (name === "items") return list(asked);
    if (name === "item") return details(asked.get("id"));
    return server.ask(path);
  }
  async function tell(path, what) {
    await ready;
    const marked = async (deleted_s) => { const ids = what.ids.filter((id) => records.has(id)); for (const id of ids) await put({ ...records.get(id), deleted_s }); return { ids }; };
    if (path === "delete") return marked(Date.now() / 1000);
    if (path === "restore") return marked(null);
    if (path !== "change") return server.tell(path, what);
    const record = records.get(what.id), item = { ...record?.item };
    if (!record) throw new Error("This item is not in your library any more.");
    if (what.title !== undefined) { item.title = what.title.trim().slice(0, 120); if (!item.title) throw new Error("The title is empty; type one."); }
    if (what.favourite !== undefined) item.favourite = Boolean(what.favourite);
    if (what.tags !== undefined) item.tags = [...new Set(what.tags.map((each) => each.trim().slice(0, 40)).filter(Boolean))].slice(0, 20);
    await put({ ...record, item });
    return item;
  }
  function file(item, name) {
    const key = `${item.id}/${name}`, blob = records.get(item.id)?.files[name];
    if (!urls.has(key) && blob) urls.set(key, URL.createObjectURL(blob));
    return urls.get(key) ?? "";
  }

  // ---- a ZIP file of several: stored, not packed, for media are packed already (APPNOTE.TXT of PKWARE, 4.3)

  const CRC = Uint32Array.from({ length: 256 }, (_, start) => { let at = start; for (let bit = 0; bit < 8; bit += 1) at = at & 1 ? 0xedb88320 ^ (at >>> 1) : at >>> 1; return at; });
  const crcOf = (bytes) => { let at = 0xffffffff; for (const byte of bytes) at = CRC[(at ^ byte) & 255] ^ (at >>> 8); return (at ^ 0xffffffff) >>> 0; };
  const numbers = (...pairs) => { const view = new DataView(new ArrayBuffer(pairs.reduce((sum, [size]) => sum + size, 0))); let at = 0; for (const [size, value] of pairs) { if (size === 4) view.setUint32(at, value, true); else view.setUint16(at, value, true); at += size; } return new Uint8Array(view.buffer); };
  const stem = (title) => title.normalize("NFKD").toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "").slice(0, 60) || "result";
  async function zip(ids) {
    const chosen = ids.map((id) => records.get(id)).filter(Boolean), names = chosen.map((each) => stem(each.item.title)), seen = new Map();
    const parts = [], listed = [];
    let offset = 0, listedBytes = 0;
    for (const [at, record] of chosen.entries()) {
      const number = (seen.get(names[at]) ?? 0) + 1;
      seen.set(names[at], number);
      const folder = names.filter((each) => each === names[at]).length > 1 ? `${names[at]} (${number})` : names[at];
      for (const { name } of record.item.files) {
        const blob = record.files[name], path = new TextEncoder().encode(`${folder}/${name}`);
        const same = [[2, 20], [2, 0x800], [2, 0], [2, 0], [2, 0x21], [4, crcOf(new Uint8Array(await blob.arrayBuffer()))], [4, blob.size], [4, blob.size], [2, path.length], [2, 0]];
        const head = numbers([4, 0x04034b50], ...same), row = numbers([4, 0x02014b50], [2, 20], ...same, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]);
        parts.push(head, path, blob);
        listed.push(row, path);
        offset += head.length + path.length + blob.size;
        listedBytes += row.length + path.length;
      }
    }
    const count = listed.length / 2;
    return new Blob([...parts, ...listed, numbers([4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, listedBytes], [4, offset], [2, 0])], { type: "application/zip" });
  }

  return { ask, tell, file, zip };
};
