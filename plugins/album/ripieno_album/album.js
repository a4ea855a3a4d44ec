"use strict";
const stage = document.querySelector("#stage video");
const chapters = [...document.querySelectorAll(".chapter")];
const whole = "whole" in document.getElementById("stage").dataset;
const films = [...document.querySelectorAll("video")];
let shown = 0;

const startOf = (chapter) => (whole ? Number(chapter.dataset.start) : 0);
const endOf = (chapter) => Number(chapter.dataset.end) - (whole ? 0 : Number(chapter.dataset.start));

function place() {
  if (!whole) return shown;
  const later = chapters.findIndex((chapter) => stage.currentTime < endOf(chapter) - 0.001);
  return later < 0 ? chapters.length - 1 : later;
}

function mark() {
  const now = place();
  chapters.forEach((chapter, index) => {
    const part = (stage.currentTime - startOf(chapter)) / (endOf(chapter) - startOf(chapter));
    const filled = index < now ? 1 : index > now ? 0 : Math.min(1, Math.max(0, part));
    chapter.querySelector("i").style.width = `${100 * filled}%`;
    const current = index === now && (stage.currentTime > 0 || !stage.paused);
    if (current) chapter.setAttribute("aria-current", "true");
    else chapter.removeAttribute("aria-current");
  });
}

function choose(index) {
  const chapter = chapters[index];
  if (whole) {
    // A little after the edge: a browser may round a time to the frame before.
    stage.currentTime = startOf(chapter) + (index ? 0.001 : 0);
  } else if (index !== shown) {
    shown = index;
    stage.poster = chapter.dataset.poster ?? "";
    stage.src = chapter.dataset.film;
  } else {
    stage.currentTime = 0;
  }
  play(stage);
  mark();
}

function play(film) {
  // A film that cannot be played says so by its error.
  film.play().catch(() => {});
}

chapters.forEach((chapter, index) => chapter.addEventListener("click", () => choose(index)));
for (const event of ["timeupdate", "seeked", "play", "loadedmetadata"]) stage.addEventListener(event, mark);
stage.addEventListener("ended", () => {
  if (!whole && shown + 1 < chapters.length) choose(shown + 1);
});
for (const film of films) {
  film.addEventListener("play", () => films.filter((other) => other !== film).forEach((other) => other.pause()));
}
for (const track of document.querySelectorAll(".track")) {
  const film = track.querySelector("video");
  film.addEventListener("error", () => {
    track.querySelector(".fault").hidden = false;
  });
  for (const marker of track.querySelectorAll(".markers button")) {
    marker.addEventListener("click", () => {
      film.currentTime = Number(marker.dataset.at);
      play(film);
    });
  }
}
mark();
