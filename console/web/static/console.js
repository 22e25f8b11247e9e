// Says so when a request of the page failed, so that nobody works on a page that stands still.
"use strict";

const trouble = document.getElementById("trouble");

function say(message) {
  trouble.textContent = message;
  trouble.hidden = !message;
}

document.addEventListener("htmx:response:error", (event) => {
  say(`The console answered with an error (${event.detail.ctx.response.status}).`);
});
document.addEventListener("htmx:error", () => {
  say("The console does not answer: what you see may be old.");
});
document.addEventListener("htmx:after:swap", () => say(""));
