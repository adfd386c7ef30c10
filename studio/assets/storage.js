// A browser may give a page no storage, as in a frame of another site. Then what is kept lasts as long as the page:
// Gradio's own scripts take storage for granted, and the page would stay empty.
(() => {
  for (const name of ["localStorage", "sessionStorage"]) {
    try { if (window[name]) continue; } catch { /* denied */ }
    const kept = new Map();
    const storage = {
      getItem: (key) => kept.get(String(key)) ?? null,
      setItem: (key, value) => { kept.set(String(key), String(value)); },
      removeItem: (key) => { kept.delete(String(key)); },
      clear: () => { kept.clear(); },
      key: (index) => Array.from(kept.keys())[index] ?? null,
      get length() { return kept.size; },
    };
    Object.defineProperty(window, name, { value: storage, configurable: true });
  }
})();
