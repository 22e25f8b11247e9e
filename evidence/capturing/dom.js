// Writes a document as HTML with its state in it: frames, shadow trees, canvases, what was typed.
// Where a resource belongs, it writes a token; `resources` says what the token stands for, and
// how many attributes deep (srcdoc) it lies.
(nonce, most) => {
  const resources = [];
  const dropped = {};
  let written = 0;
  const EMPTY = new Set("area base br col embed hr img input link meta param source track wbr".split(" "));
  const LOADS = new Set(["src", "srcset", "sizes", "data", "poster", "background", "srcdoc", "imagesrcset",
    "ping", "integrity", "nonce", "autofocus", "loading", "manifest", "action", "formaction"]);
  const text = (s) => s.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const attribute = (s) => text(s).replace(/"/g, "&quot;");
  const note = (what) => { dropped[what] = (dropped[what] || 0) + 1; };
  const token = (kind, value, base, depth) => {
    resources.push({kind, value, base, depth});
    return `${nonce}${resources.length - 1};`;
  };
  const rules = (sheet) => { try { return [...sheet.cssRules].map((r) => r.cssText).join("\n"); } catch { return null; } };

  function open(element, extra, base, depth) {
    let out = "<" + element.localName;
    for (const {name, value} of element.attributes) {
      const bare = name.toLowerCase();
      if (bare.startsWith("on") || LOADS.has(bare) || bare in extra) continue;
      if (!/^[^\s"'<>\/=]+$/.test(name)) continue;
      if (/^\s*javascript:/i.test(value)) { note("script address"); continue; }
      if (bare === "href" || bare === "xlink:href") {
        if (element.namespaceURI.endsWith("/svg") && !value.startsWith("#") && element.localName !== "a") {
          out += ` ${name}="${token("file", value, base, depth)}"`;
          continue;
        }
      }
      if (bare === "style" && value.includes("url(")) {
        out += ` style="${token("css", value, base, depth + 1)}"`;
        continue;
      }
      out += ` ${name}="${attribute(value)}"`;
    }
    for (const [name, value] of Object.entries(extra)) {
      if (value === null) continue;
      out += value.raw === undefined ? ` ${name}="${attribute(String(value))}"` : ` ${name}="${value.raw}"`;
    }
    return out + ">";
  }

  function state(element, base, depth) {
    const extra = {};
    const file = (url) => url ? {raw: token("file", url, base, depth)} : null;
    switch (element.localName) {
      case "img": extra.src = file(element.currentSrc || element.getAttribute("src")); break;
      case "video": extra.src = null; extra.poster = file(element.getAttribute("poster")); break;
      case "embed": case "object": case "audio": note(element.localName); break;
      case "input":
        if (element.type === "image") extra.src = file(element.getAttribute("src"));
        else if (element.type === "checkbox" || element.type === "radio") extra.checked = element.checked ? "" : null;
        else if (element.type === "password") extra.value = null;
        else if (element.type !== "file") extra.value = element.value;
        break;
      case "option": extra.selected = element.selected ? "" : null; break;
      case "details": extra.open = element.open ? "" : null; break;
    }
    return extra;
  }

  function children(node, base, depth) {
    let out = "";
    for (const child of node.childNodes) out += any(child, base, depth);
    return out;
  }

  function shadow(root, base, depth) {
    let out = `<template shadowrootmode="open">`;
    for (const sheet of root.adoptedStyleSheets || []) {
      const css = rules(sheet);
      if (css) out += `<style>${token("style", css, base, depth)}</style>`;
    }
    return out + children(root, base, depth) + "</template>";
  }

  function any(node, base, depth) {
    if (written > most) return "";
    if (node.nodeType === 3) {
      written += node.data.length;
      const raw = node.parentNode && node.parentNode.localName;
      return raw === "style" || raw === "xmp" ? "" : text(node.data);
    }
    if (node.nodeType !== 1) return "";
    written += 20;
    const name = node.localName;
    if (!/^[a-zA-Z][^\s"'<>\/=]*$/.test(name)) return "";
    if (name === "script") {
      if (node.type === "application/ld+json") {
        return `<script type="application/ld+json">${node.textContent.replace(/</g, "\\u003c")}</script>`;
      }
      note("script");
      return "";
    }
    if (name === "noscript" || name === "base" || name === "template" || name === "portal") return "";
    if (name === "meta" && node.httpEquiv) return "";
    if (name === "link") {
      const rel = (node.rel || "").toLowerCase();
      if (rel.split(/\s+/).includes("stylesheet") && !node.disabled && node.href) {
        const media = node.media ? ` media="${attribute(node.media)}"` : "";
        return `<style${media}>${token("sheet", node.href, base, depth)}</style>`;
      }
      return rel === "canonical" || rel === "alternate" ? open(node, {}, base, depth) : "";
    }
    if (name === "style") {
      if (node.namespaceURI.endsWith("/xhtml") && node.sheet && node.sheet.disabled) return "";
      // Rules that a script put in stand in the sheet only, never in the text.
      const css = (node.sheet && rules(node.sheet)) || node.textContent;
      return open(node, {}, base, depth) + token("style", css, base, depth) + "</style>";
    }
    if (name === "canvas") {
      let picture = null;
      try { picture = node.toDataURL(); } catch { note("canvas that may not be read"); }
      if (picture && picture.length < 4e6) {
        const box = node.getBoundingClientRect();
        return `<img${node.className ? ` class="${attribute(String(node.className))}"` : ""} alt="" ` +
          `style="${attribute(node.style.cssText)};width:${box.width}px;height:${box.height}px" src="${picture}">`;
      }
    }
    if (name === "iframe" || name === "frame") {
      let inner = null;
      try { inner = node.contentDocument; } catch {}
      if (!inner || !inner.documentElement) { note("frame that may not be read"); return open(node, {}, base, depth) + `</${name}>`; }
      const srcdoc = attribute(whole(inner, depth + 1));
      return open(node, {sandbox: "", srcdoc: {raw: srcdoc}}, base, depth) + `</${name}>`;
    }
    if (name === "textarea") return open(node, {}, base, depth) + text(node.value) + "</textarea>";
    if (name === "source" || name === "track") return "";
    let out = open(node, state(node, base, depth), base, depth);
    if (EMPTY.has(name)) return out;
    if (node.shadowRoot) out += shadow(node.shadowRoot, base, depth);
    return out + children(node, base, depth) + `</${name}>`;
  }

  function whole(document, depth) {
    const root = document.documentElement;
    const base = document.baseURI;
    let adopted = "";
    for (const sheet of document.adoptedStyleSheets || []) {
      const css = rules(sheet);
      if (css) adopted += `<style>${token("style", css, base, depth)}</style>`;
    }
    const doctype = document.doctype ? "<!doctype html>" : "";
    const head = `<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; ` +
      `img-src data:; font-src data:; style-src 'unsafe-inline'; frame-src 'self' about:">` +
      `<base href="${attribute(/^https?:/.test(base) ? base : "about:blank")}">`;
    let out = doctype + open(root, {}, base, depth);
    let placed = false;
    for (const child of root.childNodes) {
      if (child.nodeType === 1 && child.localName === "head" && !placed) {
        placed = true;
        out += "<head>" + head + children(child, base, depth) + adopted + "</head>";
      } else out += any(child, base, depth);
    }
    return out + `</${root.localName}>`;
  }

  const html = whole(document, 0);
  if (written > most) note("what was over the bound");
  return {html, resources, dropped};
}
