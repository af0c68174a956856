// A multi-layer perceptron with its gradients written out: the twin in JavaScript of npnet's layers, loss and step.
//
// A matrix is {rows, cols, data}, row after row, in double precision. A layer returns its value and the way back:
//
//     layer(p, X) -> [Y, back]        back(dY) -> [dX, dp]
//
// `rules` holds the line that each gradient comes to. They are kept apart so that one of them can be broken.
"use strict";

function matrix(rows, cols, data) {
  return { rows, cols, data: data || new Float64Array(rows * cols) };
}

// A B, (N, D) (D, K) -> (N, K)
function times(A, B) {
  const C = matrix(A.rows, B.cols);
  for (let n = 0; n < A.rows; n++)
    for (let d = 0; d < A.cols; d++) {
      const a = A.data[n * A.cols + d];
      if (a === 0) continue; // most pixels are background
      for (let k = 0, at = d * B.cols, to = n * B.cols; k < B.cols; k++) C.data[to + k] += a * B.data[at + k];
    }
  return C;
}

// A Bᵀ, (N, K) (D, K) -> (N, D)
function timesTransposed(A, B) {
  const C = matrix(A.rows, B.rows);
  for (let n = 0; n < A.rows; n++)
    for (let d = 0; d < B.rows; d++) {
      let sum = 0;
      for (let k = 0; k < A.cols; k++) sum += A.data[n * A.cols + k] * B.data[d * B.cols + k];
      C.data[n * B.rows + d] = sum;
    }
  return C;
}

// Aᵀ B, (N, D) (N, K) -> (D, K)
function transposedTimes(A, B) {
  const C = matrix(A.cols, B.cols);
  for (let n = 0; n < A.rows; n++)
    for (let d = 0; d < A.cols; d++) {
      const a = A.data[n * A.cols + d];
      if (a === 0) continue;
      for (let k = 0, at = n * B.cols, to = d * B.cols; k < B.cols; k++) C.data[to + k] += a * B.data[at + k];
    }
  return C;
}

function sumOfRows(A) {
  const sum = matrix(1, A.cols);
  for (let i = 0; i < A.data.length; i++) sum.data[i % A.cols] += A.data[i];
  return sum;
}

const rules = {
  dW: (X, dY) => transposedTimes(X, dY), // dW = Xᵀ dY
  db: (dY) => sumOfRows(dY), //             db = Σ dY over the examples
  dX: (dY, W) => timesTransposed(dY, W), // dX = dY Wᵀ
  gate: (dY, X) => matrix(dY.rows, dY.cols, dY.data.map((dy, i) => (X.data[i] > 0 ? dy : 0))), // dX = dY where X > 0
  dZ: (P, Y) => matrix(P.rows, P.cols, P.data.map((p, i) => (p - Y.data[i]) / P.rows)), // dZ = (P − Y) / N
};

// Y = X W + b, W (D, K), b (1, K)
function linear(p, X) {
  const Y = times(X, p.W);
  for (let i = 0; i < Y.data.length; i++) Y.data[i] += p.b.data[i % Y.cols];
  return [Y, (dY, inputs = true) => [inputs ? rules.dX(dY, p.W) : null, { W: rules.dW(X, dY), b: rules.db(dY) }]];
}

// Y = max(0, X)
function relu(p, X) {
  const Y = matrix(X.rows, X.cols, X.data.map((x) => (x > 0 ? x : 0)));
  return [Y, (dY) => [rules.gate(dY, X), {}]];
}

// The mean over the examples of −log softmax(Z)[label]: its value, and its gradient (P − Y)/N.
function crossEntropy(Z, labels) {
  const P = matrix(Z.rows, Z.cols), Y = matrix(Z.rows, Z.cols);
  let value = 0;
  for (let n = 0; n < Z.rows; n++) {
    const row = Z.data.subarray(n * Z.cols, (n + 1) * Z.cols), top = Math.max(...row);
    let sum = 0;
    for (const z of row) sum += Math.exp(z - top);
    row.forEach((z, k) => (P.data[n * Z.cols + k] = Math.exp(z - top) / sum));
    Y.data[n * Z.cols + labels[n]] = 1;
    value += (top + Math.log(sum) - row[labels[n]]) / Z.rows;
  }
  return [value, rules.dZ(P, Y)];
}

// α/2 ‖w − anchor‖²: its value, and its gradient α (w − anchor).
function pull(w, anchor, alpha) {
  const gradient = w.data.map((each, i) => alpha * (each - anchor.data[i]));
  const value = gradient.reduce((sum, g) => sum + (g * g) / (2 * alpha), 0);
  return [value, matrix(w.rows, w.cols, gradient)];
}

// The links of a network's path to a head: layer and parameters.
function path(network, head) {
  return [...network.trunk.flatMap((p) => [[linear, p], [relu, {}]]), [linear, network.heads[head]]];
}

// Walk a path up: the outputs of every link, and every link's way back.
function forward(links, X) {
  const outputs = [X], backs = [];
  for (const [layer, p] of links) {
    const [Y, back] = layer(p, outputs[outputs.length - 1]);
    outputs.push(Y);
    backs.push(back);
  }
  return [outputs, backs];
}

// Loss and gradients at a head: {link: dp} of the links from `lowest` up. Nothing below is back-propagated.
function gradients(network, head, X, labels, lowest = 0) {
  const [outputs, backs] = forward(path(network, head), X);
  let [value, dY] = crossEntropy(outputs[outputs.length - 1], labels);
  const found = {};
  for (let i = backs.length - 1; i >= lowest; i--) [dY, found[i]] = backs[i](dY, i > lowest);
  return [value, found];
}

// One step of gradient descent, w ← w − rate · share · gradient. mask: a share for each hidden layer and for the head;
// 0 freezes. alpha: the pull of the trunk's matrices to `anchors`. Returns the value before the step.
function step(network, head, X, labels, mask, rate, alpha = 0, anchors = []) {
  const links = path(network, head);
  let [value, found] = gradients(network, head, X, labels, 2 * mask.findIndex((share) => share > 0));
  mask.forEach((share, layer) => {
    const [, p] = links[2 * layer];
    if (share === 0) return;
    for (const key of ["W", "b"]) {
      const g = found[2 * layer][key];
      if (alpha > 0 && key === "W" && layer < network.trunk.length) {
        const [penalty, more] = pull(p.W, anchors[layer].W, alpha);
        value += penalty;
        more.data.forEach((each, i) => (g.data[i] += each));
      }
      for (let i = 0; i < g.data.length; i++) p[key].data[i] -= rate * share * g.data[i];
    }
  });
  return value;
}

// Percent of the examples whose largest output is not that of their label.
function error(network, head, X, labels) {
  return (100 * answers(network, head, X).filter((answer, n) => answer !== labels[n]).length) / X.rows;
}

function answers(network, head, X) {
  const [outputs] = forward(path(network, head), X), Z = outputs[outputs.length - 1], found = [];
  for (let n = 0; n < Z.rows; n++) {
    const row = Z.data.subarray(n * Z.cols, (n + 1) * Z.cols);
    found.push(row.indexOf(Math.max(...row)));
  }
  return found;
}

// Gradual Tuning: the head alone at first; the next layer down joins when two epochs' validation errors are so close.
function gradualMask(errors, mask, closer) {
  const [before, now] = errors.slice(-2), last = mask.lastIndexOf(0);
  if (errors.length < 2 || last < 0 || Math.abs(now - before) >= closer) return mask;
  return mask.map((share, layer) => (layer === last ? 1 : share));
}

// A generator of numbers in [0, 1): a seed gives the same numbers everywhere. Source: Mulberry32.
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// A new linear layer by Glorot's law: W uniform within ±√(6 / (D + K)), b zero.
function glorot(rng, D, K) {
  const bound = Math.sqrt(6 / (D + K)), W = matrix(D, K);
  for (let i = 0; i < W.data.length; i++) W.data[i] = bound * (2 * rng() - 1);
  return { W, b: matrix(1, K) };
}

function shuffled(n, rng) {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(rng() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

// The rows of a matrix in a given order, as a matrix of their own.
function take(X, rows) {
  const found = matrix(rows.length, X.cols);
  rows.forEach((row, n) => found.data.set(X.data.subarray(row * X.cols, (row + 1) * X.cols), n * X.cols));
  return found;
}

const copyOf = (p) => ({ W: matrix(p.W.rows, p.W.cols, p.W.data.slice()), b: matrix(1, p.b.cols, p.b.data.slice()) });

function copyNetwork(network) {
  const heads = Object.fromEntries(Object.entries(network.heads).map(([name, p]) => [name, copyOf(p)]));
  return { trunk: network.trunk.map(copyOf), heads };
}

if (typeof module !== "undefined")
  module.exports = {
    matrix, rules, linear, relu, crossEntropy, pull, path, forward, gradients, step, error, answers, gradualMask,
    generator, glorot, shuffled, take, copyOf, copyNetwork,
  };
