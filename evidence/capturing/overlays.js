// Closes what lies over a page: cookie banners, welcome and newsletter layers. Says what it clicked.
// It clicks nothing that sends a form with somebody's data, signs in, buys or leads away.
async (known, words, most) => {
  const seen = new Set();
  const clicked = [];
  const deep = function* (root, budget = {left: 20000}) {
    for (const element of root.querySelectorAll("*")) {
      if (--budget.left < 0) return;
      yield element;
      if (element.shadowRoot) yield* deep(element.shadowRoot, budget);
      if (element.localName === "iframe") {
        let inner = null;
        try { inner = element.contentDocument; } catch {}
        if (inner && inner.documentElement) yield* deep(inner, budget);
      }
    }
  };
  const fold = (s) => (s || "").replace(/\s+/g, " ").trim().toLowerCase();
  const label = (e) => fold(e.getAttribute("aria-label") || e.innerText || e.value || e.title || "").slice(0, 80);
  const up = (e) => e.parentElement || (e.getRootNode() instanceof ShadowRoot ? e.getRootNode().host : null) ||
    (e.ownerDocument.defaultView && e.ownerDocument.defaultView.frameElement) || null;
  const shown = (e) => {
    const box = e.getBoundingClientRect();
    const style = getComputedStyle(e);
    return box.width > 1 && box.height > 1 && style.visibility !== "hidden" && style.display !== "none" && Number(style.opacity) > 0.05;
  };
  // The layer in which an element lies: fixed, sticky or declared to be a dialog.
  const layer = (element) => {
    for (let e = element, hops = 0; e && hops < 40; e = up(e), hops++) {
      if (["html", "body"].includes(e.localName)) continue;
      const role = e.getAttribute && e.getAttribute("role");
      if (role === "dialog" || role === "alertdialog" || e.getAttribute("aria-modal") === "true" || (e.localName === "dialog" && e.open)) return e;
      if (["fixed", "sticky"].includes(getComputedStyle(e).position)) return e;
    }
    return null;
  };
  const harmless = (e) => {
    const name = label(e);
    if (words.never.some((word) => name.includes(word))) return false;
    if (e.localName === "a") {
      const href = e.getAttribute("href") || "";
      if (href && !href.startsWith("#") && !/^javascript:\s*(void|;|$)/i.test(href)) return false;
    }
    const form = e.form || e.closest("form");
    if (form) {
      const asks = [...form.querySelectorAll("input, textarea, select")].some((field) =>
        !["hidden", "checkbox", "radio", "button", "submit", "reset", "image"].includes(field.type));
      if (asks && e.type !== "button") return false;
    }
    return !e.disabled;
  };
  const pressable = (e) => ["button", "a"].includes(e.localName) || e.getAttribute("role") === "button" ||
    (e.localName === "input" && ["button", "submit"].includes(e.type)) ||
    (["span", "i", "svg"].includes(e.localName) && /(^|[-_\s])(close|dismiss)([-_\s]|$)/i.test(e.getAttribute("class") || ""));
  const within = (e) => e.shadowRoot ? [...e.shadowRoot.children].map((c) => c.innerText).join(" ") : "";
  const about = (e) => (fold(e.innerText) + fold(within(e))).slice(0, 4000) + " " + fold(e.id) + " " + fold((e.getAttribute("class") || ""));
  const press = async (element, what) => {
    seen.add(element);
    clicked.push({what, button: label(element) || fold(element.getAttribute("class")), id: element.id || null});
    element.click ? element.click() : element.dispatchEvent(new MouseEvent("click", {bubbles: true}));
    await new Promise((done) => setTimeout(done, 120));
  };

  for (let round = 0; round < 3 && clicked.length < most; round++) {
    const before = clicked.length;
    const all = [...deep(document)];
    for (const selector of known) {
      const element = all.find((e) => !seen.has(e) && e.matches(selector) && shown(e) && harmless(e));
      if (element) { await press(element, "cookie banner"); break; }
    }
    if (clicked.length > before) continue;
    const buttons = all.filter((e) => !seen.has(e) && pressable(e) && shown(e) && harmless(e));
    const layers = new Map();
    for (const button of buttons) {
      const found = layer(button);
      if (!found || !shown(found)) continue;
      if (!layers.has(found)) layers.set(found, []);
      layers.get(found).push(button);
    }
    for (const [found, inside] of layers) {
      if (clicked.length >= most) break;
      const saying = about(found);
      const cookies = words.cookies.some((word) => saying.includes(word));
      const pick = (list) => inside.find((e) => list.includes(label(e))) || inside.find((e) => label(e).length < 40 && list.some((word) => word.length > 4 && label(e).startsWith(word)));
      if (cookies) {
        const button = pick(words.reject) || pick(words.close) || pick(words.accept);
        if (button) await press(button, "cookie banner");
        continue;
      }
      const box = found.getBoundingClientRect();
      const modal = found.matches("dialog[open], [role=dialog], [role=alertdialog], [aria-modal=true]");
      const large = box.width * box.height > 0.25 * innerWidth * innerHeight;
      if (!modal && !large) continue;
      const closer = pick(words.close) || inside.find((e) => /(^|[-_\s])(close|dismiss)([-_\s]|$)/i.test((e.getAttribute("class") || "") + " " + e.id));
      if (closer) await press(closer, "overlay");
    }
    if (clicked.length === before) break;
  }
  return clicked;
}
