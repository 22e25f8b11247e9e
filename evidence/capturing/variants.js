// The choices that a listing offers, and making one. A choice buys nothing: a control that would
// send a form or lead away is not one.
(selector, what, value) => {
  const clean = (s) => (s || "").replace(/\s+/g, " ").trim().slice(0, 120);
  const text = (e) => clean(e.getAttribute("aria-label") || e.innerText || e.title || e.value ||
    (e.querySelector && e.querySelector("img") || {}).alt || e.getAttribute("data-value"));
  const named = (e) => clean(e.name || e.getAttribute("aria-label") || e.id || "variant");
  const controls = [];
  const groups = new Map();
  for (const e of [...document.querySelectorAll(selector)].slice(0, 200)) {
    if (e.localName === "select") { if (!e.multiple) controls.push({kind: "select", name: named(e), elements: [e]}); continue; }
    if (e.localName === "a" && e.getAttribute("href") && !e.getAttribute("href").startsWith("#")) continue;
    const form = e.form || e.closest("form");
    if (e.localName === "button" && form && e.type === "submit") continue;
    if (e.localName === "input" && e.type !== "radio") continue;
    const key = e.type === "radio" ? "radio " + e.name : e.parentElement;
    if (!groups.has(key)) groups.set(key, {kind: "press", name: e.type === "radio" ? named(e) : clean((e.parentElement || e).getAttribute("aria-label") || "variant"), elements: []});
    groups.get(key).elements.push(e);
  }
  controls.push(...groups.values());
  const dead = (e) => e.disabled || e.getAttribute("aria-disabled") === "true";
  if (what === undefined || what === null) {
    return controls.map((control) => ({
      name: control.name,
      options: control.kind === "select"
        ? [...control.elements[0].options].map((o, index) => ({index, label: clean(o.label || o.text), dead: o.disabled || o.value === ""}))
        : control.elements.map((e, index) => ({index, label: e.type === "radio" && e.labels && e.labels[0] ? clean(e.labels[0].innerText) : text(e), dead: dead(e)})),
    }));
  }
  const control = controls[what];
  if (!control) return false;
  if (control.kind === "select") {
    const select = control.elements[0];
    if (!select.options[value]) return false;
    select.selectedIndex = value;
    select.dispatchEvent(new Event("input", {bubbles: true}));
    select.dispatchEvent(new Event("change", {bubbles: true}));
    return true;
  }
  if (!control.elements[value]) return false;
  control.elements[value].click();
  return true;
}
