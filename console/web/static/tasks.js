// Sends a file of a task in pieces (tus 1.0), goes on where a connection broke, even after the
// page was closed, and hashes it here, so that it is told if it arrives otherwise.
"use strict";

const PIECE = 4 * 1024 * 1024;
const LONGEST_WAIT = 15000;

// SHA-256 (FIPS 180-4) in pieces: the browser's own takes a file only as a whole.
const SHA256 = (() => {
  const primes = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p)) primes.push(n);
  const part = (x) => ((x - Math.floor(x)) * 2 ** 32) | 0;
  return {
    rounds: Int32Array.from(primes, (p) => part(Math.cbrt(p))),
    start: Int32Array.from(primes.slice(0, 8), (p) => part(Math.sqrt(p))),
  };
})();

class Sha256 {
  state = Int32Array.from(SHA256.start);
  words = new Int32Array(64);
  rest = new Uint8Array(0);
  length = 0;

  update(bytes) {
    this.length += bytes.length;
    const all = new Uint8Array(this.rest.length + bytes.length);
    all.set(this.rest);
    all.set(bytes, this.rest.length);
    const whole = all.length - (all.length % 64);
    const view = new DataView(all.buffer);
    for (let at = 0; at < whole; at += 64) this.#block(view, at);
    this.rest = all.slice(whole);
  }

  hex() {
    const bits = this.length * 8;
    const end = new Uint8Array(((this.rest.length + 8) >> 6) * 64 + 64);
    end.set(this.rest);
    end[this.rest.length] = 0x80;
    const view = new DataView(end.buffer);
    view.setUint32(end.length - 8, Math.floor(bits / 2 ** 32));
    view.setUint32(end.length - 4, bits >>> 0);
    for (let at = 0; at < end.length; at += 64) this.#block(view, at);
    return Array.from(this.state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }

  #block(view, at) {
    const w = this.words;
    const k = SHA256.rounds;
    const state = this.state;
    for (let i = 0; i < 16; i++) w[i] = view.getInt32(at + i * 4);
    for (let i = 16; i < 64; i++) {
      const x = w[i - 15];
      const y = w[i - 2];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
    }
    // One by one: taken apart and put together as arrays, this is six times as slow.
    let a = state[0], b = state[1], c = state[2], d = state[3];
    let e = state[4], f = state[5], g = state[6], h = state[7];
    for (let i = 0; i < 64; i++) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + k[i] + w[i]) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b; b = a; a = (t1 + t2) | 0;
    }
    state[0] += a; state[1] += b; state[2] += c; state[3] += d;
    state[4] += e; state[5] += f; state[6] += g; state[7] += h;
  }
}

const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const TUS = { "Tus-Resumable": "1.0.0" };
const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

// What no second try would change.
class Refused extends Error {}

async function piece(file, start) {
  return new Uint8Array(await file.slice(start, start + PIECE).arrayBuffer());
}

async function hashed(file, say) {
  const digest = new Sha256();
  for (let at = 0; at < file.size; at += PIECE) {
    digest.update(await piece(file, at));
    say(`hashing, ${Math.floor((100 * at) / file.size)} %`);
    await sleep(0);
  }
  return digest.hex();
}

async function begin(form, file) {
  const metadata = `filename ${base64(file.name)},kind ${base64(form.elements.kind.value)}`;
  const made = await fetch(form.action, {
    method: "POST",
    headers: { ...TUS, "Upload-Length": file.size, "Upload-Metadata": metadata },
  });
  if (made.status !== 201) throw new Refused(`refused (${made.status}): ${await made.text()}`);
  return made.headers.get("Location");
}

async function offsetOf(place) {
  const here = await fetch(place, { method: "HEAD", headers: TUS });
  if (here.status === 404) return null;
  if (!here.ok) throw new Error(`answered ${here.status}`);
  return Number(here.headers.get("Upload-Offset"));
}

async function send(form, file, say) {
  const memory = `upload:${form.action}:${form.elements.kind.value}:${file.name}:${file.size}:${file.lastModified}`;
  const sha256 = await hashed(file, say);
  let place = localStorage.getItem(memory);
  let wait = 500;
  for (;;) {
    try {
      let offset = place === null ? null : await offsetOf(place);
      if (offset === null) {
        // The answer to an earlier sending may be what was lost.
        if ((await fetch(`${form.action}/kept/${sha256}`)).status === 204) {
          localStorage.removeItem(memory);
          return;
        }
        place = await begin(form, file);
        localStorage.setItem(memory, place);
        offset = 0;
      }
      while (offset < file.size) {
        say(`sending, ${Math.floor((100 * offset) / file.size)} %`);
        const answer = await fetch(place, {
          method: "PATCH",
          headers: { ...TUS, "Upload-Offset": offset, "Content-Type": "application/offset+octet-stream" },
          body: file.slice(offset, offset + PIECE),
        });
        if (answer.status !== 204) throw new Error(`answered ${answer.status}`);
        offset = Number(answer.headers.get("Upload-Offset"));
        wait = 500;
      }
      const kept = await fetch(`${place}/keep`, { method: "POST", body: new URLSearchParams({ sent_sha256: sha256 }) });
      if (kept.status === 422) {
        localStorage.removeItem(memory);
        throw new Refused(await kept.text());
      }
      if (!kept.ok) throw new Error(`answered ${kept.status}`);
      localStorage.removeItem(memory);
      return;
    } catch (error) {
      if (error instanceof Refused) throw error;
      say(`the connection broke (${error.message}); trying again`);
      await sleep(wait);
      wait = Math.min(2 * wait, LONGEST_WAIT);
    }
  }
}

for (const form of document.querySelectorAll("form.upload")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const status = form.querySelector("[role=status]");
    const button = form.querySelector("button");
    const say = (text) => { status.textContent = text; };
    button.disabled = true;
    try {
      await send(form, form.elements.file.files[0], say);
      // Not a reload: this page may be the answer to a form, which would then be sent again.
      location.assign(form.action.replace(/\/uploads$/, ""));
    } catch (error) {
      say(error.message);
      button.disabled = false;
    }
  });
}
