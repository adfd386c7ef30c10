// Elements that scripts make, fields that they fill, and the parts of a prompt, which can be changed one by one.
(() => {
  window.auralumeMake = (tag, properties = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (name in element && name !== "list") element[name] = value; // the list of an input can be read alone
      else element.setAttribute(name, value);
    }
    element.append(...children.flat().filter((each) => each !== null && each !== undefined));
    return element;
  };

  // Gradio hears of a value by these events alone.
  window.auralumeFill = (field, value) => {
    if (!field) return;
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), "value").set.call(field, value);
    for (const name of ["input", "change"]) field.dispatchEvent(new Event(name, { bubbles: true }));
  };

  // A box takes a file, which may still be on its way, in place of what it holds or beside it; false where it takes none.
  window.auralumeGive = async (box, arriving, name, isMany = false) => {
    if (!isMany) box.querySelector("button[aria-label='Clear'], button[aria-label='Remove this file'], button[aria-label='clear']")?.click();
    const input = await window.auralumeTabs.until(() => box.querySelector("input[type=file]"));
    if (!input) return false;
    const data = await arriving, given = new DataTransfer();
    given.items.add(new File([data], name, { type: data.type.split(";")[0] }));
    input.files = given.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    return true;
  };

  // What was read of a prompt reads the same when it is joined by commas, so the prompt becomes its own parts.
  const partOf = (event) => event.target.closest?.(".reading .read input");
  function rewrite(reading) {
    const parts = Array.from(reading.querySelectorAll(".read input"), (each) => each.value.trim() || each.dataset.said || "");
    window.auralumeFill(document.querySelector(reading.dataset.prompt), parts.filter(Boolean).join(", "));
  }
  // A part that is being changed is empty, so that its list shows every choice and not only what begins alike.
  document.addEventListener("focusin", (event) => {
    const part = partOf(event);
    if (part) { part.dataset.said = part.placeholder = part.value; part.value = ""; }
  });
  document.addEventListener("focusout", (event) => {
    const part = partOf(event);
    if (part && !part.value) part.value = part.dataset.said;
  });
  document.addEventListener("keydown", (event) => {
    const part = partOf(event);
    if (part && event.key === "Escape") part.blur();
  });
  document.addEventListener("input", (event) => {
    const part = partOf(event);
    if (part && (!event.inputType || event.inputType === "insertReplacementText")) rewrite(part.closest(".reading"));  // picked
  });
  document.addEventListener("change", (event) => {
    const part = partOf(event);
    if (part) rewrite(part.closest(".reading"));
  });
  // A card of the Models tab chooses its model.
  document.addEventListener("click", (event) => {
    const card = event.target.closest?.(".overview .model");
    if (!card) return;
    window.auralumeFill(document.querySelector("#shelf-chosen textarea, #shelf-chosen input"), `${card.dataset.key} ${Date.now()}`);
    const gentle = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    document.querySelector("#shelf-model").scrollIntoView({ block: "nearest", behavior: gentle ? "smooth" : "auto" });
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(".reading .read button");
    if (!button) return;
    const reading = button.closest(".reading");
    button.parentElement.remove();
    rewrite(reading);
  });
})();
