// The page works without this: links choose a video, and the browser's own controls play it. With it, choosing does
// not reload the page, names can be searched, and what cannot be played is explained.
"use strict";

const byId = (id) => document.getElementById(id);
const video = byId("video");

if (video) {
  const links = [...document.querySelectorAll("a.video")];
  let current = document.querySelector("a.video[aria-current]");

  // ---- the address bar: ?v=name, or #name

  const canonical = (text) => {
    try {
      return encodeURIComponent(decodeURIComponent(text)).replaceAll("%2F", "/");
    } catch {
      return text; // a name that is not UTF-8 is written in one way only
    }
  };
  const find = (text) => links.find((link) => link.dataset.key === canonical(text));
  const addressed = () => {
    if (location.hash.length > 1) return find(location.hash.slice(1));
    const query = /[?&]v=([^&]*)/.exec(location.search);
    return query ? find(query[1].replaceAll("+", "%20")) : links[0];
  };

  // ---- choosing

  const show = (link, play) => {
    current?.removeAttribute("aria-current");
    current = link;
    link.setAttribute("aria-current", "true");
    const name = link.querySelector(".name").textContent;
    document.title = `${name} · Trio Stream`;
    byId("title").textContent = name;
    byId("about").replaceChildren(...link.querySelector(".meta").cloneNode(true).childNodes);
    byId("download").href = `${link.dataset.stream}?download=1`;
    byId("now").hidden = false;
    byId("trouble").hidden = true;
    video.src = link.dataset.stream;
    if (play) video.play().catch(() => {}); // refused, or chosen otherwise meanwhile: the controls are there
  };

  byId("videos").addEventListener("click", (event) => {
    const link = event.target.closest("a.video");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    history.pushState(null, "", link.href);
    show(link, true);
    if (video.getBoundingClientRect().top < 0) video.scrollIntoView({ block: "start" });
  });

  addEventListener("popstate", () => {
    const link = addressed();
    if (link && link !== current) show(link, false);
  });

  // ---- what cannot be played

  const say = (text, again = false) => {
    byId("trouble").querySelector("p").textContent = text;
    byId("again").hidden = !again;
    byId("trouble").hidden = false;
  };

  // The element tells neither a missing video from an unknown format, nor what the server had to say: so ask it.
  const explain = async () => {
    const link = current;
    let text = "This browser cannot play this video: it does not know its format. Download it to play it elsewhere.";
    let again = false;
    try {
      const answer = await fetch(link.dataset.stream, { headers: { Range: "bytes=0-0" }, cache: "no-store" });
      if (!answer.ok) text = `The server cannot send this video: ${(await answer.json()).detail}`;
      again = answer.status >= 500 || video.error?.code === MediaError.MEDIA_ERR_NETWORK;
      if (answer.ok && again) text = "The connection was lost while the video was playing.";
    } catch {
      [text, again] = ["The server cannot be reached.", true];
    }
    if (link === current && video.error) say(text, again);
  };
  video.addEventListener("error", explain);
  if (video.error) explain();

  const look = () => {
    if (!video.videoWidth) {
      say("There is only sound: this video has no picture that this browser can show. Download it to play it elsewhere.");
    }
  };
  video.addEventListener("loadedmetadata", look);
  if (video.readyState >= HTMLMediaElement.HAVE_METADATA) look();

  byId("again").addEventListener("click", () => {
    const moment = video.currentTime;
    byId("trouble").hidden = true;
    video.load();
    video.currentTime = moment;
    video.play().catch(() => {});
  });

  // ---- finding

  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const rows = links.map((link) => {
    const folder = link.closest("section").querySelector("h2 bdi")?.textContent ?? "";
    return { row: link.parentElement, text: plain(`${folder} ${link.textContent}`) };
  });
  byId("find").hidden = links.length < 2;
  byId("find").addEventListener("input", (event) => {
    const words = plain(event.target.value).split(/\s+/).filter(Boolean);
    let found = 0;
    for (const { row, text } of rows) {
      row.hidden = !words.every((word) => text.includes(word));
      found += !row.hidden;
    }
    for (const folder of document.querySelectorAll(".folder")) {
      folder.hidden = !folder.querySelector("li:not([hidden])");
    }
    byId("none").hidden = found > 0;
  });

  // ---- the beginning

  const first = addressed();
  if (first && first !== current) show(first, false);
  const list = byId("videos");
  if (current) list.scrollTop = current.offsetTop - list.clientHeight / 2; // of no effect where it does not scroll
}
