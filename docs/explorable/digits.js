// Handwritten digits, drawn as npnet.tasks draws them: a skeleton is bent, jittered, stretched, slanted, rotated and put
// near the middle of 28 × 28 pixels; its splines are drawn as straight anti-aliased strokes.
"use strict";

const SIDE = 28, PIECES = 5;

// One image (784 numbers from 0 to 1) of a digit. ways: {digit: [{points: [[x, y]], spans: [[q0, q1, q2, q3]]}]}, from
// npnet; look: the ranges of npnet's Handwriting.
function drawDigit(rng, digit, ways, look) {
  const between = ([low, high]) => low + (high - low) * rng(), within = (most) => between([-most, most]);
  const way = ways[digit][Math.floor(rng() * ways[digit].length)];
  const aspect = between(look.aspect), lean = Math.tan(radians(between(look.slant))), turn = radians(within(look.rotation));
  const bend = [0, 1].map(() => [0, 1, 2].map(() => within(look.bend)));
  const points = way.points.map(([x, y]) => {
    const u = (x - 36) / 50, v = (y - 50) / 50;
    const [dx, dy] = bend.map(([a, b, c]) => a * u * u + b * u * v + c * v * v + within(look.jitter));
    const py = y + dy, px = aspect * (x + dx) - lean * py;
    return [Math.cos(turn) * px - Math.sin(turn) * py, Math.sin(turn) * px + Math.cos(turn) * py];
  });
  const pieces = way.spans.flatMap((span) => spline(span.map((n) => points[n])));
  const ends = [0, 1].map((axis) => pieces.flatMap((piece) => [piece[0][axis], piece[1][axis]]));
  const low = ends.map((each) => Math.min(...each)), high = ends.map((each) => Math.max(...each));
  const scale = between(look.size) / Math.max(high[0] - low[0], high[1] - low[1]);
  const middle = [0, 1].map(() => (SIDE - 1) / 2 + within(look.shift));
  const place = (point) => point.map((each, axis) => middle[axis] + scale * (each - (low[axis] + high[axis]) / 2));
  const image = new Float64Array(SIDE * SIDE), width = between(look.stroke);
  for (const [start, end] of pieces) cover(image, place(start), place(end), width);
  return image;
}

const radians = (degrees) => (degrees * Math.PI) / 180;

// A Catmull-Rom spline from q1 to q2 as straight pieces.
function spline([q0, q1, q2, q3]) {
  const at = (t) =>
    [0, 1].map((axis) => {
      const [p, q, r, s] = [q0[axis], q1[axis], q2[axis], q3[axis]];
      return 0.5 * (2 * q + (r - p) * t + ((2 * p - 5 * q + 4 * r - s) + (3 * q - p - 3 * r + s) * t) * t * t);
    });
  return Array.from({ length: PIECES }, (_, n) => [at(n / PIECES), at((n + 1) / PIECES)]);
}

// Raise the pixels that a stroke covers: full inside, none outside, a ramp one pixel wide on the edge.
function cover(image, [x0, y0], [x1, y1], width) {
  const length = Math.hypot(x1 - x0, y1 - y0) || 1e-9, ux = (x1 - x0) / length, uy = (y1 - y0) / length;
  const reach = width / 2 + 0.5;
  const first = (a, b) => Math.max(0, Math.ceil(Math.min(a, b) - reach));
  const last = (a, b) => Math.min(SIDE - 1, Math.floor(Math.max(a, b) + reach));
  for (let y = first(y0, y1); y <= last(y0, y1); y++)
    for (let x = first(x0, x1); x <= last(x0, x1); x++) {
      const dx = x - (x0 + x1) / 2, dy = y - (y0 + y1) / 2;
      const beyond = Math.max(0, Math.abs(dx * ux + dy * uy) - length / 2), across = dx * uy - dy * ux;
      const value = Math.min(1, reach - Math.sqrt(beyond * beyond + across * across)), at = y * SIDE + x;
      if (value > image[at]) image[at] = value;
    }
}

if (typeof module !== "undefined") module.exports = { drawDigit, SIDE };
