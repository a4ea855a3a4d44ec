"use strict";
// The scene: drawn anew whenever the view changes.

function dress() {
  const style = getComputedStyle(document.documentElement);
  theme = Object.fromEntries(["card", "ink", "quiet", "line", "well", "row", "accent", "spectrum"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  theme.font = getComputedStyle(document.body).fontFamily;
  theme.hatches = {};
  if (picture) tint();
  draw();
}

const colourOf = (note) => data.styles[note.articulation][dark.matches ? "dark" : "light"];

function hatch(context, colour) {
  if (!theme.hatches[colour]) {
    const tile = new OffscreenCanvas(12, 12);
    const pen = tile.getContext("2d");
    pen.strokeStyle = colour;
    pen.lineWidth = 2;
    for (const shift of [-12, 0, 12]) {
      pen.moveTo(shift - 2, 14);
      pen.lineTo(shift + 14, -2);
    }
    pen.stroke();
    theme.hatches[colour] = context.createPattern(tile, "repeat");
    theme.hatches[colour].setTransform(new DOMMatrix().scale(0.5));
  }
  return theme.hatches[colour];
}

function tint() {
  spectrum = new OffscreenCanvas(picture.width, picture.height);
  const pen = spectrum.getContext("2d");
  pen.drawImage(picture, 0, 0);
  pen.globalCompositeOperation = "source-in";
  pen.fillStyle = theme.spectrum;
  pen.fillRect(0, 0, picture.width, picture.height);
}

function draw() {
  const context = scene.getContext("2d");
  context.clearRect(0, 0, size.width, size.height);
  context.font = `11px ${theme.font}`;
  context.textBaseline = "middle";
  drawRows(context);
  lanes().forEach((lane, number) => drawGround(context, laneTop(number)));
  drawRuler(context);
  drawRoll(context);
  lanes().forEach((lane, number) => drawLane(context, lane, laneTop(number)));
  drawOverview(context);
  drawMarks();
}

function within(context, top, height, paint) {
  context.save();
  context.beginPath();
  context.rect(LEFT, top, size.width - LEFT - RIGHT, height);
  context.clip();
  paint();
  context.restore();
}

const semitone = () => size.roll / (window_.high - window_.low);

function drawRows(context) {
  const wide = size.width - LEFT - RIGHT;
  within(context, RULER, size.roll, () => {
    for (let key = Math.floor(window_.low); key <= window_.high + 1; key++) {
      context.fillStyle = theme.row;
      if (FLATS.has(key % 12)) context.fillRect(LEFT, yOf(key + 0.5), wide, semitone());
      context.fillStyle = theme.line;
      if (key % 12 === 0) context.fillRect(LEFT, yOf(key - 0.5), wide, 1);
    }
  });
}

function namedKeys() {
  const high = semitone();
  if (high >= 15) return [...NAMES.keys()];
  if (high >= 11) return [0, 2, 4, 5, 7, 9, 11];
  return high >= 4 ? [0, 4, 7] : [0];
}

function drawRoll(context) {
  within(context, RULER, size.roll, () => {
    if (spectrum && shown.spectrogram) {
      const top = yOf(data.high), left = xOf(0);
      context.globalAlpha = 0.75;
      context.drawImage(spectrum, left, top, xOf(data.spectrogram.duration_s) - left, yOf(data.low) - top);
      context.globalAlpha = 1;
    }
    const seen = notes.filter((note) => shown.streams.has(note.stream) && note.offset > window_.start && note.onset < window_.end);
    for (const note of seen) drawNote(context, note);
    for (const note of seen) if (xOf(note.offset) - xOf(note.onset) >= 5) drawSign(context, note);
    drawWords(context, seen);
  });
  const named = namedKeys();
  for (let key = Math.ceil(window_.low); key <= window_.high; key++) {
    if (!named.includes(key % 12)) continue;
    const y = yOf(key);
    if (y < RULER + 5 || y > RULER + size.roll - 5) continue;
    context.fillStyle = key % 12 === 0 ? theme.ink : theme.quiet;
    context.textAlign = "right";
    context.fillText(noteName(key), LEFT - 9, y);
    context.textAlign = "left";
    context.fillStyle = theme.quiet;
    context.fillText(hertz(key).toFixed(0), size.width - RIGHT + 9, y);
  }
}

function trace(context, [times, levels], yOfLevel) {
  const first = Math.max(0, indexAt(times, window_.start));
  let lastX = -1e9, lastY = -1e9;
  for (let i = first; i < times.length; i++) {
    const x = xOf(times[i]), y = yOfLevel(levels[i]);
    const isLast = i === times.length - 1 || times[i] > window_.end;
    // What would lie on the pixel before is left out.
    if (!isLast && x - lastX < 0.4 && Math.abs(y - lastY) < 0.7) continue;
    if (i === first) context.moveTo(x, y);
    else context.lineTo(x, y);
    [lastX, lastY] = [x, y];
    if (times[i] > window_.end) break;
  }
}

function drawNote(context, note) {
  const colour = colourOf(note);
  context.setLineDash([]);
  if (!note.pitch) {
    context.strokeStyle = colour;
    context.setLineDash([2, 4]);
    context.beginPath();
    context.moveTo(xOf(note.onset), signY(note));
    context.lineTo(xOf(note.offset), signY(note));
    context.stroke();
    context.setLineDash([]);
    return;
  }
  const wide = xOf(note.offset) - xOf(note.onset);
  if (wide < 2) {
    // So small that its colour is all there is to see.
    context.fillStyle = colour;
    context.fillRect(xOf(note.onset), signY(note) - 1, Math.max(wide, 1), 2);
    return;
  }
  const masked = note.masked.includes("pitch_midi");
  context.beginPath();
  trace(context, [note.body.map((point) => point[0]), note.body.map((point) => point[1] + point[2])], yOf);
  for (let i = note.body.length - 1; i >= 0; i--) {
    const [time, pitch, half] = note.body[i];
    if (time >= window_.start - 1 && time <= window_.end + 1) context.lineTo(xOf(time), yOf(pitch - half));
  }
  context.closePath();
  context.globalAlpha = masked ? 0.75 : dark.matches ? 0.34 : 0.28;
  context.fillStyle = masked ? hatch(context, colour) : colour;
  context.fill();
  context.globalAlpha = 1;
  context.lineJoin = context.lineCap = "round";
  for (const [stroke, width] of [[theme.card, 4], [colour, 1.8]]) {
    context.globalAlpha = stroke === colour ? 1 : 0.7;
    context.strokeStyle = stroke;
    context.lineWidth = width;
    context.setLineDash(masked && stroke === colour ? [3, 4] : []);
    context.beginPath();
    trace(context, note.pitch, yOf);
    context.stroke();
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
}

// As in a score: how it is played is said where it changes, and where there is room.
function drawWords(context, seen) {
  const taken = [];
  const said = {};
  const changed = (stream, kind, word) => word && (said[stream] ??= {})[kind] !== word;
  context.font = `600 11px ${theme.font}`;
  context.textAlign = "left";
  context.lineWidth = 3.5;
  context.strokeStyle = theme.card;
  for (const note of seen) {
    const x = xOf(note.onset), y = signY(note);
    const wide = xOf(note.offset) - x;
    const how = [note.articulation, note.mode].filter((word, kind) => changed(note.stream, kind, word)).join(" · ");
    const words = [];
    if (note.pitch && wide > 30) words.push(noteName(valueAt(note.pitch, (note.onset + note.offset) / 2)));
    if (how && wide > 12) words.push(how);
    if (!words.length) continue;
    const text = words.join("  ");
    const left = Math.min(x - 3, size.width - RIGHT - 4 - context.measureText(text).width);
    const box = [left - 1, y - 25, left + context.measureText(text).width + 8, y - 9];
    if (taken.some((other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3])) continue;
    taken.push(box);
    if (wide > 12) said[note.stream] = [note.articulation, note.mode];
    context.strokeText(text, left, y - 17);
    context.fillStyle = colourOf(note);
    context.fillText(text, left, y - 17);
  }
  context.font = `11px ${theme.font}`;
}

const signY = (note) => (note.pitch ? yOf(note.pitch[1][0]) : RULER + size.roll - 9);
const signs = Object.fromEntries(Object.entries(data.styles).map(([name, style]) => [name, new Path2D(style.sign)]));

function drawSign(context, note) {
  const style = data.styles[note.articulation];
  context.save();
  context.translate(xOf(note.onset), signY(note));
  const radius = clamp((xOf(note.offset) - xOf(note.onset)) / 6, 2.2, 4.6);
  context.scale(radius, radius);
  context.lineJoin = context.lineCap = "round";
  context.strokeStyle = theme.card;
  context.lineWidth = 0.95;
  context.stroke(signs[note.articulation]);
  context.strokeStyle = context.fillStyle = colourOf(note);
  context.lineWidth = style.solid ? 0.1 : 0.42;
  context.stroke(signs[note.articulation]);
  if (style.solid) context.fill(signs[note.articulation]);
  context.restore();
}

const inLane = (lane, top) => (level) => top + LANE - 4 - clamp((level - lane.low) / (lane.high - lane.low), 0, 1) * (LANE - 8);

function drawGround(context, top) {
  context.fillStyle = theme.row;
  context.beginPath();
  context.roundRect(LEFT, top, size.width - LEFT - RIGHT, LANE, 5);
  context.fill();
}

function drawLane(context, lane, top) {
  const y = inLane(lane, top);
  within(context, top, LANE, () => {
    for (const note of notes) {
      const line = note.lanes[lane.name];
      if (!line || !shown.streams.has(note.stream) || note.offset < window_.start || note.onset > window_.end) continue;
      const masked = note.masked.includes(lane.name), colour = colourOf(note);
      context.beginPath();
      trace(context, line, y);
      context.strokeStyle = colour;
      context.lineWidth = 1.5;
      context.setLineDash(masked ? [3, 4] : []);
      context.stroke();
      context.setLineDash([]);
      context.lineTo(Math.min(xOf(line[0][line[0].length - 1]), size.width), y(lane.base));
      context.lineTo(Math.max(xOf(line[0][0]), 0), y(lane.base));
      context.globalAlpha = masked ? 0.3 : 0.16;
      context.fillStyle = masked ? hatch(context, colour) : colour;
      context.fill();
      context.globalAlpha = 1;
    }
  });
  context.font = `600 11px ${theme.font}`;
  context.fillStyle = theme.quiet;
  context.textAlign = "left";
  context.fillText(lane.title, LEFT + 1, top - 8);
  context.font = `11px ${theme.font}`;
  context.fillStyle = theme.quiet;
  context.textAlign = "right";
  context.fillText(minus(shortly(lane.high)), LEFT - 9, top + 7);
  context.fillText(minus(shortly(lane.low)), LEFT - 9, top + LANE - 6);
  context.textAlign = "left";
  context.fillText(lane.unit, size.width - RIGHT + 9, top + 7);
}

const shortly = (value) => String(Number(value.toPrecision(3)));

function drawRuler(context) {
  const perSecond = (size.width - LEFT - RIGHT) / (window_.end - window_.start);
  const step = STEPS_S.find((seconds) => seconds * perSecond >= 76) ?? 7200;
  const digits = step >= 1 ? 0 : step >= 0.1 ? 1 : step >= 0.01 ? 2 : 3;
  const bottom = overviewTop() - GAP;
  context.textAlign = "center";
  for (let tick = Math.ceil(window_.start / step - 1e-6); tick * step <= window_.end + 1e-9; tick++) {
    const x = xOf(tick * step);
    context.fillStyle = theme.line;
    context.globalAlpha = 0.65;
    context.fillRect(x, RULER, 1, bottom - RULER);
    context.globalAlpha = 1;
    context.fillStyle = theme.quiet;
    context.fillText(timeName(tick * step, digits), x, 10);
  }
  context.textAlign = "right";
  context.fillText("Hz", size.width - 4, 10);
}

function timeName(seconds, digits) {
  if (seconds < 60) return seconds.toFixed(digits);
  return `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(digits).padStart(digits ? digits + 3 : 2, "0")}`;
}

const overviewX = (time) => LEFT + (time / data.duration_s) * (size.width - LEFT - RIGHT);

function drawOverview(context) {
  const top = overviewTop();
  const y = (pitch) => top + 5 + ((data.high - 4 - pitch) / (data.high - data.low - 6)) * (OVERVIEW - 10);
  context.fillStyle = theme.row;
  context.beginPath();
  context.roundRect(LEFT, top, size.width - LEFT - RIGHT, OVERVIEW, 6);
  context.fill();
  for (const note of notes) {
    if (!note.pitch || !shown.streams.has(note.stream)) continue;
    context.fillStyle = colourOf(note);
    const middle = valueAt(note.pitch, (note.onset + note.offset) / 2);
    context.fillRect(overviewX(note.onset), y(middle) - 1, Math.max(overviewX(note.offset) - overviewX(note.onset) - 0.5, 1), 2);
  }
  const left = overviewX(window_.start), right = overviewX(window_.end);
  context.fillStyle = theme.card;
  context.globalAlpha = 0.72;
  context.fillRect(LEFT, top, left - LEFT, OVERVIEW);
  context.fillRect(right, top, size.width - RIGHT - right, OVERVIEW);
  context.globalAlpha = 1;
  context.strokeStyle = theme.accent;
  context.lineWidth = 1.5;
  context.beginPath();
  context.roundRect(left + 0.75, top + 0.75, Math.max(right - left - 1.5, 3), OVERVIEW - 1.5, 5);
  context.stroke();
}
