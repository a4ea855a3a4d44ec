"use strict";
// One clock for each item: of its recordings and films one is heard, and another goes on where it was.
document.documentElement.classList.add("js");

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
const still = matchMedia("(prefers-reduced-motion: reduce)");
const decks = [...document.querySelectorAll(".deck")].map(makeDeck);

function makeDeck(root) {
  const film = root.querySelector("video");
  const media = [...root.querySelectorAll("video, audio")];
  const slider = root.querySelector("[role=slider]");
  const position = root.querySelector(".position");
  const starts = [...root.querySelectorAll(".section")].map((section) => Number(section.dataset.start));
  const seconds = Number(root.dataset.seconds);
  let at = 0;
  let leader = null;

  const follows = () => film && leader && leader !== film;
  const playing = () => leader && !leader.paused;

  function show() {
    root.style.setProperty("--at", seconds ? Math.min(at / seconds, 1) : 0);
    if (!slider) return;
    position.textContent = clock(at);
    slider.setAttribute("aria-valuenow", at.toFixed(1));
    slider.setAttribute("aria-valuetext", clock(at));
  }

  function mark() {
    for (const track of root.querySelectorAll(".track")) {
      const audio = track.querySelector("audio");
      const button = track.querySelector(".play");
      const heard = audio === leader && playing();
      track.classList.toggle("leads", audio === leader);
      track.classList.toggle("playing", heard);
      button.setAttribute("aria-label", `${heard ? "Pause" : "Play"} ${button.dataset.name}`);
    }
  }

  function stop(...but) {
    for (const player of media) if (!but.includes(player)) player.pause();
    mark();
  }

  function start(player) {
    for (const deck of decks) deck.stop(player, film);
    if (at > seconds - 0.1) at = 0;
    if (film) film.muted = player !== film;
    leader = player;
    for (const each of new Set([player, film])) {
      if (!each) continue;
      if (Math.abs(each.currentTime - at) > 0.05) each.currentTime = at;
      each.play().catch(() => {});
    }
    mark();
    if (!still.matches) requestAnimationFrame(frame);
  }

  function frame() {
    if (!playing()) return;
    at = leader.currentTime;
    show();
    requestAnimationFrame(frame);
  }

  function seek(to) {
    at = Math.min(Math.max(to, 0), seconds);
    for (const each of new Set([leader, film])) if (each) each.currentTime = at;
    show();
  }

  function toggle(player) {
    if (player === leader && playing()) stop();
    else start(player);
  }

  for (const player of media) {
    player.addEventListener("play", () => {
      if (player !== leader && !(follows() && playing())) start(player);
    });
    player.addEventListener("pause", () => {
      // Events come late: what goes on again by now was not meant to stop.
      if (player.paused && (player === leader || (player === film && follows() && !film.ended))) stop();
    });
    player.addEventListener("timeupdate", () => {
      if (player !== leader || player.seeking) return;
      at = player.currentTime;
      show();
      if (follows() && !film.seeking && !film.ended && Math.abs(film.currentTime - at) > 0.25) film.currentTime = at;
    });
    player.addEventListener("error", () => {
      player.closest(".track, .film").classList.add("broken");
    });
  }

  // The film's own controls move the clock too, and give it its sound back.
  film?.addEventListener("volumechange", () => {
    if (follows() && playing() && !film.muted) start(film);
  });
  film?.addEventListener("seeking", () => {
    if (Math.abs(film.currentTime - at) < 0.3) return;
    at = film.currentTime;
    if (follows()) leader.currentTime = at;
    show();
  });

  for (const track of root.querySelectorAll(".track")) {
    track.querySelector(".play").addEventListener("click", () => toggle(track.querySelector("audio")));
  }
  for (const section of root.querySelectorAll(".section")) {
    section.addEventListener("click", () => seek(Number(section.dataset.start)));
  }
  for (const time of root.querySelectorAll(".time")) {
    const follow = (event) => {
      const box = time.getBoundingClientRect();
      seek(((event.clientX - box.left) / box.width) * seconds);
    };
    time.addEventListener("pointerdown", (event) => {
      if (event.button || event.target.closest("button")) return;
      time.setPointerCapture(event.pointerId);
      follow(event);
    });
    time.addEventListener("pointermove", (event) => {
      if (time.hasPointerCapture(event.pointerId)) follow(event);
    });
  }

  slider?.addEventListener("keydown", (event) => {
    const step = event.shiftKey ? 1 : 5;
    const moves = {
      ArrowRight: () => seek(at + step),
      ArrowUp: () => seek(at + step),
      ArrowLeft: () => seek(at - step),
      ArrowDown: () => seek(at - step),
      PageUp: () => seek(starts.find((start) => start > at + 0.01) ?? seconds),
      PageDown: () => seek(starts.findLast((start) => start < at - 0.5) ?? 0),
      Home: () => seek(0),
      End: () => seek(seconds),
      " ": () => media.length && toggle(leader ?? media[0]),
    };
    if (!moves[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    moves[event.key]();
  });

  show();
  return { stop };
}

for (const button of document.querySelectorAll(".copy")) {
  button.addEventListener("click", async () => {
    const text = document.getElementById(button.dataset.of);
    getSelection().selectAllChildren(text);
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Selected";
    }
  });
}
