// The picture of a live browser, and mouse, wheel and keys for it.
"use strict";

(() => {
  const root = document.getElementById("takeover");
  const here = root.dataset.here;
  const screen = document.getElementById("screen");
  const typing = document.getElementById("typing");
  const where = document.getElementById("where");
  const drawing = screen.getContext("2d");
  const KEYS = new Set(["Enter", "Backspace", "Tab", "Escape", "Delete", "Home", "End", "PageUp", "PageDown", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"]);
  const REST = 1000;
  // A field that is never empty tells a phone's Backspace, which sends no key.
  const FILL = "\u200b";

  const rest = (ms) => new Promise((go) => setTimeout(go, ms));

  // The picture

  async function watch() {
    let number = 0;
    for (;;) {
      try {
        const answer = await fetch(`${here}/picture?after=${number}`);
        if (answer.status === 410) return location.reload();
        if (!answer.ok) throw new Error((await answer.json()).detail);
        const next = Number(answer.headers.get("X-Number"));
        const blob = await answer.blob();
        where.textContent = answer.headers.get("X-Page") || "…";
        say("");
        if (next !== number && blob.size) {
          const bitmap = await createImageBitmap(blob);
          screen.width = bitmap.width;
          screen.height = bitmap.height;
          drawing.drawImage(bitmap, 0, 0);
          bitmap.close();
          screen.dataset.number = next;
        } else await rest(100);
        number = next;
      } catch (error) {
        say(`The browser is not reached (${error.message}); trying again.`);
        await rest(REST);
      }
    }
  }

  // What is done, in order

  const queue = [];
  let sending = false;

  async function send() {
    if (sending) return;
    sending = true;
    while (queue.length) {
      const events = queue.splice(0, 100);
      try {
        const answer = await fetch(`${here}/hands`, {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(events)});
        if (answer.status === 410) return location.reload();
        if (!answer.ok) say(`What you did was not passed on: ${(await answer.json()).detail}`);
      } catch {
        say("What you did was not passed on: the console does not answer.");
      }
    }
    sending = false;
  }

  function act(event) {
    // Of a movement that nobody has seen yet, only the end counts.
    if (event.type === "move" && queue.at(-1)?.type === "move") queue.pop();
    queue.push(event);
    send();
  }

  // Mouse; a finger that is dragged scrolls

  function place(event) {
    const box = screen.getBoundingClientRect();
    const share = (value) => Math.min(1, Math.max(0, value));
    return {x: share((event.clientX - box.left) / box.width), y: share((event.clientY - box.top) / box.height)};
  }

  const button = (event) => ["left", "middle", "right"][event.button] || "left";
  let finger = null;

  screen.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    screen.setPointerCapture(event.pointerId);
    if (event.pointerType === "touch") {
      finger = {x: event.clientX, y: event.clientY, moved: false};
      return;
    }
    typing.focus({preventScroll: true});
    act({type: "down", ...place(event), button: button(event), clicks: Math.max(1, event.detail)});
  });
  screen.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "touch") return act({type: "move", ...place(event)});
    if (!finger) return;
    const dx = finger.x - event.clientX, dy = finger.y - event.clientY;
    if (!finger.moved && Math.hypot(dx, dy) < 8) return;
    finger = {x: event.clientX, y: event.clientY, moved: true};
    act({type: "wheel", ...place(event), dx, dy});
  });
  screen.addEventListener("pointerup", (event) => {
    if (event.pointerType === "touch") {
      if (finger && !finger.moved) {
        act({type: "down", ...place(event), button: "left", clicks: 1});
        act({type: "up", ...place(event), button: "left", clicks: 1});
      }
      finger = null;
      return;
    }
    act({type: "up", ...place(event), button: button(event), clicks: Math.max(1, event.detail)});
  });
  screen.addEventListener("contextmenu", (event) => event.preventDefault());
  screen.addEventListener("wheel", (event) => {
    event.preventDefault();
    const cap = (value) => Math.max(-2000, Math.min(2000, value));
    act({type: "wheel", ...place(event), dx: cap(event.deltaX), dy: cap(event.deltaY)});
  }, {passive: false});

  // Keys

  function keydown(event) {
    const control = event.ctrlKey || event.metaKey;
    if (control && (event.key === "a" || event.key === "z")) {
      event.preventDefault();
      act({type: "key", key: `Control+${event.key}`});
    } else if (!control && !event.altKey && KEYS.has(event.key)) {
      event.preventDefault();
      act({type: "key", key: event.key === "Tab" && event.shiftKey ? "Shift+Tab" : event.key});
    }
  }

  function typed() {
    if (typing.value.length < FILL.length) act({type: "key", key: "Backspace"});
    const text = typing.value.replaceAll(FILL, "");
    for (let at = 0; at < text.length; at += 500) act({type: "text", text: text.slice(at, at + 500)});
    fill();
  }

  function fill() {
    typing.value = FILL;
    typing.setSelectionRange(1, 1);
  }

  typing.addEventListener("keydown", keydown);
  typing.addEventListener("input", (event) => { if (!event.isComposing) typed(); });
  typing.addEventListener("compositionend", typed);
  typing.addEventListener("focus", fill);
  screen.addEventListener("focus", () => typing.focus({preventScroll: true}));

  root.addEventListener("click", (event) => {
    const pressed = event.target.closest("button[type=button]");
    if (!pressed) return;
    if (pressed.dataset.key) act({type: "key", key: pressed.dataset.key});
    else if (pressed.dataset.do) act({type: pressed.dataset.do});
  });

  // The page is laid out for the screen that it is looked at on.
  let laid = 0;
  function layOut() {
    const wide = Math.round(Math.min(1280, Math.max(360, root.clientWidth)));
    if (wide === laid) return; // a phone's keyboard changes the height alone
    laid = wide;
    const beside = wide < 600 ? 330 : 260;
    act({type: "size", width: wide, height: Math.round(Math.min(1000, Math.max(480, window.innerHeight - beside)))});
  }

  layOut();
  addEventListener("resize", layOut);
  watch();
})();
