// What of a page tells a wall from a listing.
() => {
  const visible = (e) => { const box = e.getBoundingClientRect(); return box.width > 1 && box.height > 1 && getComputedStyle(e).visibility !== "hidden"; };
  const area = (e) => { const box = e.getBoundingClientRect(); return box.width * box.height; };
  const frames = [...document.querySelectorAll("iframe")].filter((e) => visible(e) && area(e) > 3000).map((e) => e.src.slice(0, 300));
  const marks = [...document.querySelectorAll("[id], [class], form[action]")].slice(0, 5000).filter(visible)
    .map((e) => `${e.id} ${e.getAttribute("class") || ""} ${e.getAttribute("action") || ""}`.toLowerCase().slice(0, 200));
  return {
    title: document.title.slice(0, 500),
    text: (document.body ? document.body.innerText : "").slice(0, 20000),
    heading: [...document.querySelectorAll("h1, h2")].filter(visible).map((e) => e.innerText).join(" ").slice(0, 500),
    password: [...document.querySelectorAll("input[type=password]")].some(visible),
    frames, marks,
    images: [...document.images].filter((e) => visible(e) && area(e) > 20000).length,
  };
}
