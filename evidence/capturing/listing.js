// Addresses of a page's pictures in the largest form that it names.
(most) => {
  const found = new Map();
  const put = (url, base) => {
    if (!url || found.size >= most) return;
    try {
      const whole = new URL(url, base || document.baseURI);
      whole.hash = "";
      if (/^https?:$/.test(whole.protocol)) found.set(whole.href, true);
    } catch {}
  };
  const largest = (srcset) => {
    let best = null, size = 0;
    for (const part of srcset.split(/,\s+/)) {
      const [url, width] = part.trim().split(/\s+/);
      const value = parseFloat(width) || 1;
      if (url && value > size) { best = url; size = value; }
    }
    return best;
  };
  const structured = (node, deep) => {
    if (deep > 6 || !node || typeof node !== "object") return;
    if (Array.isArray(node)) { for (const one of node.slice(0, 100)) structured(one, deep + 1); return; }
    const kinds = [].concat(node["@type"] || []);
    if (kinds.includes("Product")) {
      for (const image of [].concat(node.image || [])) put(typeof image === "string" ? image : image && (image.contentUrl || image.url));
    }
    structured(node["@graph"], deep + 1);
    structured(node.hasVariant, deep + 1);
  };
  for (const script of document.querySelectorAll("script[type='application/ld+json']")) {
    try { structured(JSON.parse(script.textContent), 0); } catch {}
  }
  put((document.querySelector("meta[property='og:image']") || {}).content);
  const ZOOM = ["data-zoom-image", "data-zoom", "data-zoom-src", "data-large", "data-large-image", "data-large_image", "data-full",
    "data-full-src", "data-original", "data-hires", "data-old-hires", "data-high-res-src", "data-src", "data-lazy-src", "data-image"];
  const PICTURE = /\.(jpe?g|png|webp|avif|gif)$/i;
  for (const image of [...document.images].slice(0, 2000)) {
    const box = image.getBoundingClientRect();
    if (box.width < 24 && box.height < 24 && image.naturalWidth < 24) continue;
    for (const name of ZOOM) {
      for (const holder of [image, image.closest("a"), image.parentElement]) {
        if (holder && holder.hasAttribute(name)) put(holder.getAttribute(name));
      }
    }
    const link = image.closest("a[href]");
    if (link) { try { if (PICTURE.test(new URL(link.href).pathname)) put(link.href); } catch {} }
    const sets = [image.srcset || image.getAttribute("data-srcset") || ""];
    const picture = image.closest("picture");
    if (picture) for (const source of picture.querySelectorAll("source")) sets.push(source.srcset);
    for (const set of sets) if (set) put(largest(set));
    put(image.currentSrc || image.src);
  }
  return [...found.keys()];
}
