"use strict";
// One clip is heard at a time; its picture is also its position.
document.documentElement.classList.add("js");

const players = [...document.querySelectorAll(".player")].filter((root) => root.querySelector("audio")).map(makePlayer);

function makePlayer(root) {
  const audio = root.querySelector("audio");
  const button = root.querySelector(".play");
  const picture = root.querySelector(".picture");
  const seconds = Number(root.dataset.seconds);
  let at = 0;

  function show() {
    picture.style.setProperty("--at", seconds ? Math.min(at / seconds, 1) : 0);
    picture.style.setProperty("--seen", at ? 1 : 0);
    picture.setAttribute("aria-valuenow", at.toFixed(2));
    picture.setAttribute("aria-valuetext", `${at.toFixed(1)} s`);
  }

  function mark() {
    root.classList.toggle("playing", !audio.paused);
    button.setAttribute("aria-label", `${audio.paused ? "Play" : "Pause"} ${button.dataset.name}`);
  }

  function frame() {
    if (audio.paused) return;
    at = audio.currentTime;
    show();
    requestAnimationFrame(frame);
  }

  function toggle() {
    if (!audio.paused) return audio.pause();
    for (const other of players) other.pause();
    if (at > seconds - 0.05) at = 0;
    audio.currentTime = at;
    audio.play().catch(() => {});
  }

  function seek(to) {
    at = Math.min(Math.max(to, 0), seconds);
    audio.currentTime = at;
    show();
  }

  audio.addEventListener("play", () => {
    mark();
    requestAnimationFrame(frame);
  });
  audio.addEventListener("pause", mark);
  audio.addEventListener("ended", () => {
    at = 0;
    show();
  });
  audio.addEventListener("error", () => root.classList.add("broken"));
  button.addEventListener("click", toggle);

  const follow = (event) => {
    const box = picture.getBoundingClientRect();
    seek(((event.clientX - box.left) / box.width) * seconds);
  };
  picture.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    picture.setPointerCapture(event.pointerId);
    follow(event);
  });
  picture.addEventListener("pointermove", (event) => {
    if (picture.hasPointerCapture(event.pointerId)) follow(event);
  });
  picture.addEventListener("keydown", (event) => {
    const moves = {
      ArrowRight: () => seek(at + 0.5),
      ArrowLeft: () => seek(at - 0.5),
      Home: () => seek(0),
      End: () => seek(seconds),
      " ": toggle,
    };
    if (!moves[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    moves[event.key]();
  });
  return { pause: () => audio.pause() };
}
