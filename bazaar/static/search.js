// Results come in batches as the end of the list comes into view.
const list = document.getElementById("results");
const more = document.getElementById("more");
let offset = 0;
let busy = false;

async function load() {
  if (busy) return;
  busy = true;
  const query = encodeURIComponent(list.dataset.query);
  const answer = await fetch(`/api/search?q=${query}&offset=${offset}`);
  if (!answer.ok) { busy = false; setTimeout(load, 1200); return; }
  const found = await answer.json();
  for (const row of found.rows) {
    const card = document.createElement("a");
    card.className = "card";
    card.href = row.url;
    const image = new Image();
    image.src = row.image;
    image.alt = "";
    const title = document.createElement("span");
    title.textContent = row.title;
    const price = document.createElement("b");
    price.textContent = row.price;
    card.append(image, title, price);
    list.append(card);
  }
  offset += found.rows.length;
  busy = false;
  if (found.end) {
    watcher.disconnect();
    more.id = "end";
    more.textContent = found.total ? `All ${found.total} results` : "Nothing found";
  }
}

const watcher = new IntersectionObserver((seen) => seen.some((e) => e.isIntersecting) && load(), { rootMargin: "200px" });
watcher.observe(more);
