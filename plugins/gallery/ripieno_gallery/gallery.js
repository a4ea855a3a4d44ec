"use strict";
// Both sounds of a pair play together, one of them muted: a switch is heard at once and at the same position.
document.documentElement.classList.add("js");

const DRIFT_S = 0.04;
// Chromium cannot seek to the last two frames of FLAC, of a tenth of a second each.
const TAIL_S = 0.25;
const equal = document.getElementById("equal");
const players = [...document.querySelectorAll(".card")].map(makePlayer);

equal.addEventListener("change", () => players.forEach((player) => player.level()));
document.querySelectorAll("table").forEach(makeSortable);

function clock(seconds) {
  const [hours, minutes, rest] = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map(Math.floor);
  const end = String(rest).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${end}` : `${minutes}:${end}`;
}

function makePlayer(card) {
  const sounds = [".before", ".after"].map((side) => card.querySelector(`audio${side}`));
  const radios = [...card.querySelectorAll("[type=radio]")];
  const deck = card.querySelector(".deck");
  const button = card.querySelector(".play");
  const loop = card.querySelector(".loop");
  const position = card.querySelector(".position");
  const [seconds, offset, loopStart, loopEnd] = ["seconds", "start", "loopStart", "loopEnd"].map((name) => Number(card.dataset[name]));
  const present = sounds.filter(Boolean);
  let side = sounds[1] ? 1 : 0;
  let playing = false;
  let at = 0;

  const heard = () => sounds[side];

  function show() {
    deck.style.setProperty("--at", seconds ? Math.min(at / seconds, 1) : 0);
    deck.setAttribute("aria-valuenow", at.toFixed(2));
    deck.setAttribute("aria-valuetext", `${clock(offset + at)}, ${radios[side].nextElementSibling.textContent}`);
    position.textContent = clock(offset + at);
  }

  function mark() {
    card.dataset.side = side;
    radios[side].checked = true;
    card.classList.toggle("playing", playing);
    button.setAttribute("aria-label", `${playing ? "Pause" : "Play"} ${button.dataset.name}`);
  }

  function level() {
    for (const sound of present) {
      sound.volume = equal.checked ? 10 ** (Number(sound.dataset.gain) / 20) : 1;
      sound.muted = sound !== heard();
    }
  }

  const latest = (sound) => Math.max(0, (sound.duration || seconds) - TAIL_S);

  function align(sound) {
    if (sound.seeking || at > latest(sound)) return;
    if (Math.abs(sound.currentTime - at) > DRIFT_S) sound.currentTime = at;
  }

  function start() {
    for (const other of players) other.stop();
    if (at > seconds - 0.05) at = 0;
    if (looping() && (at < loopStart || at >= loopEnd)) at = loopStart;
    playing = true;
    level();
    for (const sound of present) {
      align(sound);
      sound.play().catch(() => {});
    }
    mark();
    requestAnimationFrame(frame);
  }

  function stop() {
    playing = false;
    present.forEach((sound) => sound.pause());
    mark();
  }

  function frame() {
    if (!playing) return;
    follow();
    requestAnimationFrame(frame);
  }

  function follow() {
    if (heard().seeking) return;
    at = heard().currentTime;
    if (looping() && at >= loopEnd) seek(loopStart);
    show();
  }

  function seek(to) {
    at = Math.min(Math.max(to, 0), seconds);
    for (const sound of present) sound.currentTime = Math.min(at, latest(sound));
    show();
  }

  function choose(next) {
    if (!sounds[next] || next === side) return mark();
    side = next;
    level();
    // A telephone plays one sound at a time and has paused the other.
    if (playing && heard().paused) {
      align(heard());
      heard().play().catch(() => {});
    }
    mark();
    show();
  }

  function looping() {
    return loop?.getAttribute("aria-pressed") === "true";
  }

  for (const sound of present) {
    sound.addEventListener("timeupdate", () => {
      if (!playing) return;
      if (sound === heard()) follow();
      else align(sound);
    });
    sound.addEventListener("ended", () => {
      if (sound !== heard()) return;
      stop();
      seek(0);
    });
    sound.addEventListener("pause", () => {
      // From outside: a headset's button, another tab's call.
      if (playing && sound === heard() && sound.paused && !sound.ended) stop();
    });
    sound.addEventListener("error", () => {
      stop();
      card.classList.add("broken");
    });
  }

  button.disabled = !present.length;
  button.addEventListener("click", () => (playing ? stop() : start()));
  radios.forEach((radio, index) => {
    radio.disabled = !sounds[index];
    radio.addEventListener("change", () => choose(index));
  });
  loop?.addEventListener("click", () => {
    loop.setAttribute("aria-pressed", !looping());
    card.classList.toggle("looping", looping());
    if (looping() && (at < loopStart || at >= loopEnd)) seek(loopStart);
  });

  const point = (event) => {
    const box = deck.getBoundingClientRect();
    seek(((event.clientX - box.left) / box.width) * seconds);
  };
  deck.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    deck.setPointerCapture(event.pointerId);
    point(event);
  });
  deck.addEventListener("pointermove", (event) => {
    if (deck.hasPointerCapture(event.pointerId)) point(event);
  });
  deck.addEventListener("keydown", (event) => {
    const step = event.shiftKey ? 5 : 1;
    const moves = {
      ArrowRight: () => seek(at + step),
      ArrowUp: () => seek(at + step),
      ArrowLeft: () => seek(at - step),
      ArrowDown: () => seek(at - step),
      Home: () => seek(0),
      End: () => seek(seconds),
      " ": () => present.length && (playing ? stop() : start()),
      b: () => choose(0),
      a: () => choose(1),
      x: () => choose(1 - side),
    };
    const move = moves[event.key] ?? moves[event.key.toLowerCase()];
    if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    move();
  });

  level();
  mark();
  show();
  return { stop, level };
}

function makeSortable(table) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const names = new Intl.Collator(undefined, { numeric: true });
  const infinities = { inf: Infinity, "-inf": -Infinity, nan: NaN };
  const value = (cell) => infinities[cell.dataset.value] ?? Number(cell.dataset.value);

  function compare(first, second, column, way) {
    if (!column) return way * names.compare(first.cells[0].textContent, second.cells[0].textContent);
    const [a, b] = [first, second].map((row) => value(row.cells[column]));
    // What is not known stands last either way.
    if (isNaN(a) || isNaN(b)) return isNaN(a) - isNaN(b);
    return a === b ? 0 : way * (a < b ? -1 : 1);
  }

  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const first = column ? "descending" : "ascending";
      const other = column ? "ascending" : "descending";
      const order = head.getAttribute("aria-sort") === first ? other : first;
      for (const each of heads) each.setAttribute("aria-sort", each === head ? order : "none");
      const way = order === "ascending" ? 1 : -1;
      body.append(...[...body.rows].sort((a, b) => compare(a, b, column, way)));
    });
  });
}
