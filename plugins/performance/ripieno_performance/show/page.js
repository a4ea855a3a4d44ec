"use strict";
// Positions, drawn on a canvas of their own while the sound plays, and how one moves about.

function drawMarks() {
  const context = marks.getContext("2d");
  context.clearRect(0, 0, size.width, size.height);
  const bottom = overviewTop() - GAP;
  if (pointer && pointer.time >= window_.start && pointer.time <= window_.end) {
    context.fillStyle = theme.quiet;
    context.fillRect(xOf(pointer.time) - 0.5, RULER, 1, bottom - RULER);
    drawDots(context, pointer.time);
  }
  context.fillStyle = theme.ink;
  if (at >= window_.start && at <= window_.end) {
    const x = xOf(at);
    context.fillRect(x - 0.75, RULER - 3, 1.5, bottom - RULER + 3);
    context.beginPath();
    context.moveTo(x - 6, RULER - 9);
    context.lineTo(x + 6, RULER - 9);
    context.lineTo(x, RULER - 1);
    context.fill();
  }
  context.fillRect(overviewX(at) - 0.75, overviewTop(), 1.5, OVERVIEW);
}

function drawDots(context, time) {
  const dot = (x, y, colour) => {
    context.beginPath();
    context.arc(x, y, 4, 0, 7);
    context.fillStyle = colour;
    context.fill();
    context.lineWidth = 2;
    context.strokeStyle = theme.card;
    context.stroke();
  };
  for (const note of sounding(time)) {
    const y = note.pitch && yOf(valueAt(note.pitch, time));
    if (note.pitch && y >= RULER && y <= RULER + size.roll) dot(xOf(time), y, colourOf(note));
    lanes().forEach((lane, number) => {
      const line = note.lanes[lane.name];
      if (line) dot(xOf(time), inLane(lane, laneTop(number))(valueAt(line, time)), colourOf(note));
    });
  }
}

function element(name, text = "", kind = "") {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = kind;
  return made;
}

function say(lane, value) {
  const digits = lane.high - lane.low > 20 ? 1 : 3;
  return `${minus(value.toFixed(digits))}${lane.unit ? ` ${lane.unit}` : ""}`;
}

function showValues() {
  values.hidden = !pointer;
  if (!pointer) return;
  const { time, x, y } = pointer;
  const parts = [element("div", `${time.toFixed(3)} s`, "when")];
  const heard = sounding(time);
  for (const note of heard.slice(0, MOST_TOLD)) parts.push(...describe(note, time, heard.length > MOST_IN_FULL));
  if (heard.length > MOST_TOLD) parts.push(element("div", `and ${heard.length - MOST_TOLD} more`, "when"));
  values.replaceChildren(...parts);
  const right = x + 18 + values.offsetWidth > size.width;
  values.style.transform = `translate(${right ? x - 18 - values.offsetWidth : x + 18}px, ${clamp(y - 20, 0, Math.max(0, size.height - values.offsetHeight))}px)`;
}

// Of a chord each note is one line.
function describe(note, time, brief) {
  const head = element("div", "", "name");
  const pitch = note.pitch && valueAt(note.pitch, time);
  head.append(element("span", note.pitch ? noteName(pitch, true) : "no pitch"), element("span", note.pitch ? `${hertz(pitch).toFixed(1)} Hz` : ""));
  if (brief) {
    head.append(element("span", note.lanes[data.loudness] ? say(loudness, valueAt(note.lanes[data.loudness], time)) : ""));
    return [head];
  }
  const how = element("div", [note.articulation, note.mode].filter(Boolean).join(" · "), "how");
  how.style.setProperty("--colour", colourOf(note));
  const list = document.createElement("dl");
  for (const lane of data.lanes) {
    if (!note.lanes[lane.name]) continue;
    const masked = note.masked.includes(lane.name) ? "masked" : "";
    list.append(element("dt", lane.title, masked), element("dd", say(lane, valueAt(note.lanes[lane.name], time)), masked));
  }
  const parts = [head, how, list];
  if (note.masked.length) parts.push(element("div", `masked: ${note.masked.join(", ")}`, "masked"));
  return parts;
}

function spoken(time) {
  const words = sounding(time).map((note) => {
    const pitch = note.pitch ? noteName(valueAt(note.pitch, time), true).replace("¢", "cents") : "no pitch";
    const level = note.lanes[data.loudness] ? `, ${say(loudness, valueAt(note.lanes[data.loudness], time))}` : "";
    return `${pitch}, ${note.articulation}${level}`;
  });
  return `${time.toFixed(3)} s: ${words.join("; ") || "silence"}`;
}

function look(change) {
  const next = { ...window_, ...change };
  const span = clamp(next.end - next.start, Math.min(SHORTEST_S, data.duration_s), data.duration_s);
  window_.start = clamp(next.start, 0, data.duration_s - span);
  window_.end = window_.start + span;
  const height = clamp(next.high - next.low, NARROWEST, data.high - data.low);
  window_.low = clamp(next.low, data.low, data.high - height);
  window_.high = window_.low + height;
  draw();
}

function zoom(factor, time) {
  const span = clamp((window_.end - window_.start) * factor, SHORTEST_S, data.duration_s);
  const part = (time - window_.start) / (window_.end - window_.start);
  look({ start: time - part * span, end: time + (1 - part) * span });
}

function zoomPitch(factor, pitch) {
  const height = clamp((window_.high - window_.low) * factor, NARROWEST, data.high - data.low);
  const part = (pitch - window_.low) / (window_.high - window_.low);
  look({ low: pitch - part * height, high: pitch + (1 - part) * height });
}

function pan(seconds, semitones = 0) {
  look({ start: window_.start + seconds, end: window_.end + seconds, low: window_.low + semitones, high: window_.high + semitones });
}

function seek(time) {
  at = clamp(time, 0, data.duration_s);
  if (sound) sound.currentTime = at;
  const span = window_.end - window_.start;
  if (at < window_.start || at > window_.end) look({ start: at - span / 4, end: at + (3 * span) / 4 });
  told();
  drawMarks();
}

function told() {
  clock.textContent = at.toFixed(3);
  view.setAttribute("aria-valuenow", at.toFixed(3));
  view.setAttribute("aria-valuetext", spoken(at));
}

function step(time) {
  seek(time);
  pointer = { time: at, x: xOf(at), y: RULER + 30 };
  showValues();
  drawMarks();
}

function toggle() {
  if (!sound) return;
  if (!sound.paused) return sound.pause();
  if (at >= data.duration_s - 0.02) seek(0);
  sound.currentTime = at;
  sound.play().catch(() => {});
}

function frame() {
  if (sound.paused) return;
  at = Math.min(sound.currentTime, data.duration_s);
  clock.textContent = at.toFixed(3);
  const span = window_.end - window_.start;
  // The page turns when the position leaves it.
  if (at > window_.end || at < window_.start) look({ start: at - 0.04 * span, end: at + 0.96 * span });
  else drawMarks();
  requestAnimationFrame(frame);
}

sound?.addEventListener("play", () => {
  play.classList.add("playing");
  play.setAttribute("aria-label", "Pause");
  pointer = null;
  showValues();
  requestAnimationFrame(frame);
});
sound?.addEventListener("pause", () => {
  play.classList.remove("playing");
  play.setAttribute("aria-label", "Play");
  told();
});
sound?.addEventListener("error", () => (document.getElementById("broken").hidden = false));
play?.addEventListener("click", toggle);

const middle = () => (at >= window_.start && at <= window_.end ? at : (window_.start + window_.end) / 2);
const whole = () => look({ start: 0, end: data.duration_s, low: data.low, high: data.high });
document.getElementById("in").addEventListener("click", () => zoom(0.6, middle()));
document.getElementById("out").addEventListener("click", () => zoom(1 / 0.6, middle()));
document.getElementById("all").addEventListener("click", whole);

for (const chip of document.querySelectorAll(".chips button")) {
  chip.addEventListener("click", () => {
    const on = chip.getAttribute("aria-pressed") !== "true";
    chip.setAttribute("aria-pressed", on);
    const { lane, stream, layer } = chip.dataset;
    if (layer) shown.spectrogram = on;
    else if (lane !== undefined) shown.lanes[on ? "add" : "delete"](lane);
    else shown.streams[on ? "add" : "delete"](Number(stream));
    fit();
  });
}

view.addEventListener("wheel", (event) => {
  const unit = [1, 16, 400][event.deltaMode];
  const box = view.getBoundingClientRect();
  const across = event.shiftKey && !event.deltaX ? event.deltaY : event.deltaX;
  const isWhole = window_.end - window_.start >= data.duration_s - 1e-9;
  // At the end of zooming out the page scrolls on.
  if (!event.altKey && isWhole && event.deltaY > 0 && Math.abs(event.deltaY) > Math.abs(across)) return;
  event.preventDefault();
  if (Math.abs(across) > Math.abs(event.deltaY) || event.shiftKey) return pan(((across * unit) / (size.width - LEFT - RIGHT)) * (window_.end - window_.start));
  const factor = Math.exp(clamp(event.deltaY * unit, -300, 300) * 0.0022);
  if (event.altKey) zoomPitch(factor, pitchOf(event.clientY - box.top));
  else zoom(factor, timeOf(event.clientX - box.left));
  follow(event);
}, { passive: false });

const touches = new Map();
let drag = null;

function place(event) {
  const box = view.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}

function follow(event) {
  const { x, y } = place(event);
  const inside = x >= LEFT && x <= size.width - RIGHT && y < overviewTop();
  pointer = inside ? { time: timeOf(x), x, y } : null;
  showValues();
  drawMarks();
}

view.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  view.setPointerCapture(event.pointerId);
  touches.set(event.pointerId, place(event));
  const { x, y } = place(event);
  drag = { x, y, window: { ...window_ }, moved: false, overview: y >= overviewTop() - 4, pinched: touches.size > 1 };
  if (drag.overview) centre(x);
});

function centre(x) {
  const time = ((x - LEFT) / (size.width - LEFT - RIGHT)) * data.duration_s;
  const half = (window_.end - window_.start) / 2;
  look({ start: time - half, end: time + half });
}

view.addEventListener("pointermove", (event) => {
  if (!drag) return follow(event);
  const before = touches.get(event.pointerId);
  const { x, y } = place(event);
  touches.set(event.pointerId, { x, y });
  if (touches.size === 2 && before) return pinch(event.pointerId, before);
  if (drag.overview) return centre(x);
  drag.moved ||= Math.hypot(x - drag.x, y - drag.y) > 4;
  if (!drag.moved || drag.pinched) return;
  view.classList.add("moving");
  pointer = null;
  showValues();
  const seconds = ((drag.x - x) / (size.width - LEFT - RIGHT)) * (window_.end - window_.start);
  const semitones = event.pointerType === "touch" ? 0 : ((y - drag.y) / size.roll) * (window_.high - window_.low);
  const from = drag.window;
  look({ start: from.start + seconds, end: from.end + seconds, low: from.low + semitones, high: from.high + semitones });
});

function pinch(id, before) {
  const other = [...touches].find(([key]) => key !== id)[1];
  const now = touches.get(id);
  const apart = Math.max(Math.abs(now.x - other.x), 8) / Math.max(Math.abs(before.x - other.x), 8);
  zoom(1 / apart, timeOf((now.x + other.x) / 2));
}

for (const kind of ["pointerup", "pointercancel"]) {
  view.addEventListener(kind, (event) => {
    touches.delete(event.pointerId);
    if (drag && !drag.moved && !drag.overview && !drag.pinched && kind === "pointerup") {
      seek(timeOf(place(event).x));
      follow(event);
    }
    view.classList.remove("moving");
    if (!touches.size) drag = null;
  });
}
view.addEventListener("pointerleave", () => {
  pointer = null;
  showValues();
  drawMarks();
});
view.addEventListener("blur", () => {
  pointer = null;
  showValues();
  drawMarks();
});

view.addEventListener("keydown", (event) => {
  const span = window_.end - window_.start;
  const nudge = span / (event.shiftKey ? 20 : 200);
  const onsets = notes.map((note) => note.onset);
  const keys = {
    ArrowRight: () => step(at + nudge),
    ArrowLeft: () => step(at - nudge),
    ArrowUp: () => pan(0, (window_.high - window_.low) / 10),
    ArrowDown: () => pan(0, (window_.low - window_.high) / 10),
    PageDown: () => step(onsets.find((onset) => onset > at + 1e-4) ?? data.duration_s),
    PageUp: () => step(onsets.findLast((onset) => onset < at - 1e-4) ?? 0),
    Home: () => step(0),
    End: () => step(data.duration_s),
    "+": () => zoom(0.6, middle()),
    "=": () => zoom(0.6, middle()),
    "-": () => zoom(1 / 0.6, middle()),
    0: whole,
    " ": toggle,
  };
  if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  keys[event.key]();
});

if (data.spectrogram) {
  const image = new Image();
  image.onload = () => {
    picture = image;
    tint();
    draw();
  };
  image.src = data.spectrogram.image;
}
dark.addEventListener("change", dress);
new ResizeObserver(() => {
  if (view.clientWidth !== size.width) fit();
}).observe(view);
addEventListener("resize", fit);
dress();
fit();
told();
