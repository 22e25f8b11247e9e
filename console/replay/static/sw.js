// The player's service worker, with what it hands out held to our policy. Its own would let a
// page open web sockets anywhere. Loaded as a worker too, where there is no fetch event.
"use strict";

const HEADERS = {
  "Content-Security-Policy": "{{ policy }}",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-DNS-Prefetch-Control": "off",
  // Where the browser knows it (Chromium does), it also stops what no policy covers: preconnects,
  // name look-ups and WebRTC. Chromium ends the page that tries the last.
  "Connection-Allowlist": "(response-origin)",
};
const DROPPED = ["Link", "Refresh", "Service-Worker-Allowed", "Speculation-Rules"];

// From wabac.js: what comes out of a bundle, and the script that it puts before a page's own.
const REPLAYED = new URL("./w/", self.location).pathname;
const BEFORE = new URL("./static/wombat.js", self.location).pathname;

// So that a page which looks for WebRTC goes on without it, instead of being ended.
const WITHOUT_WEBRTC = "for (const name of ['RTCPeerConnection', 'webkitRTCPeerConnection'])"
  + " delete self[name];\n";

async function held(response, path) {
  const headers = new Headers(response.headers);
  Object.entries(HEADERS).forEach(([name, value]) => headers.set(name, value));
  DROPPED.forEach((name) => headers.delete(name));
  const { status, statusText } = response;
  let body = [204, 205, 304].includes(status) ? null : response.body;
  if (path === BEFORE) {
    body = WITHOUT_WEBRTC + await response.text();
    headers.delete("Content-Length");
  }
  return new Response(body, { status, statusText, headers });
}

if (self.registration) {
  const respondWith = FetchEvent.prototype.respondWith;
  FetchEvent.prototype.respondWith = function (answer) {
    const path = new URL(this.request.url).pathname;
    respondWith.call(this, Promise.resolve(answer).then((response) => held(response, path)));
  };
  self.addEventListener("fetch", (event) => {
    const url = new URL(event.request.url);
    if (url.origin !== self.location.origin) {
      event.stopImmediatePropagation();
      respondWith.call(event, Response.error());
    } else if (event.request.mode === "navigate" && !url.pathname.startsWith(REPLAYED)) {
      // The player itself comes from the server, with the policy that it has there.
      event.stopImmediatePropagation();
    }
  });
}

self.importScripts("{{ worker }}");
