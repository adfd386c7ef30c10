// Tabs have addresses: ?tab=music opens Music, ?tab=style-transfer&part=audio a tab within it; the browser's back and forward
// move between them, the window is called after the tab.
(() => {
  const BAR = "#studio-tabs > .tab-wrapper";
  const slug = (label) => label.toLowerCase().replaceAll(" ", "-");
  const said = (element) => element.textContent.trim();
  const shown = (element) => element.offsetParent !== null;
  const later = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
  let wanted = null; // the tab, and the one within it, that an address asks for, until it is open

  const bar = () => document.querySelector(BAR);
  const tabs = (root) => Array.from(root?.querySelectorAll("button[role=tab]") ?? []);
  const chosen = (each) => each.getAttribute("aria-selected") === "true";
  const current = () => tabs(bar()).find(chosen);
  const inners = () => tabs(document.querySelector("#studio-tabs")).filter((each) => shown(each) && !bar().contains(each));
  const part = () => { const all = inners(), at = all.findIndex(chosen); return at > 0 ? slug(said(all[at])) : ""; };
  const place = (name, inner) => (inner ? `${name}/${inner}` : name);
  const hidden = (label) => Array.from(bar()?.querySelectorAll(".overflow-dropdown button") ?? []).find((each) => said(each) === label);

  async function until(find, milliseconds = 8000) {
    for (let waited = 0; waited <= milliseconds; waited += 40) {
      const found = find();
      if (found) return found;
      await later(40);
    }
    return null;
  }

  async function open(path) {
    const [outer, ...inner] = path;
    if (!outer) return true; // what stands beside the tabs is there in all of them
    const top = await until(() => tabs(bar()).find((each) => said(each) === outer) ?? hidden(outer));
    if (!top) return false;
    if (!chosen(top)) top.click();
    for (const label of inner) {
      const tab = await until(() => inners().find((each) => said(each) === label || slug(said(each)) === label));
      if (!tab) return false;
      if (!chosen(tab)) tab.click();
    }
    await later(60);
    return true;
  }

  // by its name, also without hyphens, by the beginning of it ("style"), or by the first letters of its words ("mv")
  const labelOf = (name) => {
    const labels = [...tabs(bar()).map(said), ...Array.from(bar()?.querySelectorAll(".overflow-dropdown button") ?? []).map(said)];
    const asked = name.toLowerCase().replace(/[^a-z]/g, "");
    const letters = (label) => slug(label).split("-").map((word) => word[0]).join("");
    const tests = [(label) => slug(label).replaceAll("-", "") === asked, (label) => asked && slug(label).replaceAll("-", "").startsWith(asked), (label) => letters(label) === asked];
    return tests.map((test) => labels.find(test)).find(Boolean);
  };

  function note() {
    const label = said(current() ?? { textContent: "" });
    if (!label) return;
    document.title = `${label} · Auralume`;
    document.body.dataset.tab = slug(label);
    const address = new URL(location.href), name = slug(label), inner = part();
    if (wanted !== null) { if (wanted === place(name, inner)) wanted = null; return; }
    if (place(address.searchParams.get("tab"), address.searchParams.get("part")) === place(name, inner)) return;
    const isFirst = !address.searchParams.has("tab") && history.state?.tab === undefined;
    address.searchParams.set("tab", name);
    address.searchParams.delete("item");
    if (inner) address.searchParams.set("part", inner); else address.searchParams.delete("part");
    history[isFirst ? "replaceState" : "pushState"]({ tab: name }, "", address);
    document.dispatchEvent(new CustomEvent("auralume-tab", { detail: name }));
  }

  async function follow() {
    const address = new URL(location.href), name = address.searchParams.get("tab"), inner = address.searchParams.get("part");
    const label = name && labelOf(name);
    if (!label) { wanted = null; return; }
    wanted = place(slug(label), inner);
    if (slug(label) !== name) { address.searchParams.set("tab", slug(label)); history.replaceState(history.state, "", address); }
    await open(inner ? [label, inner] : [label]);
    const [first] = inners();
    if (!inner && first && !chosen(first)) first.click();
    wanted = null;
    note();
  }

  // arrow keys move along a bar of tabs, as everywhere
  const STEPS = { ArrowRight: 1, ArrowLeft: -1 };
  document.addEventListener("keydown", (event) => {
    const tab = event.target.closest?.("button[role=tab]"), list = tab?.closest("[role=tablist]") ?? tab?.parentElement;
    if (!tab || event.ctrlKey || event.metaKey || event.altKey) return;
    const all = tabs(list).filter((each) => shown(each) && !each.disabled), here = all.indexOf(tab);
    const next = event.key === "Home" ? 0 : event.key === "End" ? all.length - 1 : event.key in STEPS ? (here + STEPS[event.key] + all.length) % all.length : -1;
    if (here < 0 || next < 0) return;
    event.preventDefault();
    all[next].focus();
    all[next].click();
  });

  // Escape closes what is open around the focus: a fold, an accordion, the menu of tabs, what stands at the foot of the page
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const at = event.target;
    if (at.getAttribute?.("aria-expanded") === "true" && at.matches("input")) return; // a menu closes itself
    const menu = document.querySelector(".overflow-dropdown:not(.hide)");
    if (menu && shown(menu)) { bar().querySelector(".overflow-menu > button")?.click(); return; }
    const toast = document.getElementById("library-toast");
    if (toast?.childElementCount) { toast.replaceChildren(); return; }
    const fold = at.closest?.("details[open]");
    if (fold) { fold.open = false; fold.querySelector("summary")?.focus(); return; }
    const handle = at.closest?.(".more")?.querySelector("button.label-wrap.open");
    if (handle) { handle.click(); handle.focus(); }
  });

  window.addEventListener("popstate", follow);
  until(current, 60_000).then(async () => {
    await later(120); // the bar measures itself first, and moves what has no room into its menu
    await follow();
    note();
    new MutationObserver(note).observe(document.querySelector("#studio-tabs"), { subtree: true, attributes: true, attributeFilter: ["aria-selected"] });
  });
  window.auralumeTabs = { open, until, current: () => slug(said(current() ?? { textContent: "" })) };
})();
