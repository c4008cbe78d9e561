// Maps, a weight a cell: what they sum up to, where they are most, their colours; and a map as a smooth field, as it is drawn.
// A region is the cells from top, left to bottom, right.
export function decodeAlpha(encoded, peak) {
  const bytes = atob(encoded);
  return Float32Array.from(bytes, (char) => (char.charCodeAt(0) / 255) * peak);
}

export function sumOf(weights) {
  let total = 0;
  for (const weight of weights) total += weight;
  return total;
}

// How much of a map lies in a region.
export function shareIn(alpha, [top, left, bottom, right], grid) {
  return sumOf(alpha.filter((none, at) => {
    const row = Math.floor(at / grid[1]);
    const column = at % grid[1];
    return row >= top && row <= bottom && column >= left && column <= right;
  }));
}

export function regionSize([top, left, bottom, right]) {
  return (bottom + 1 - top) * (right + 1 - left);
}

// Places of the largest first; equals keep their order.
export function ranking(shares) {
  return [...shares.keys()].sort((one, other) => shares[other] - shares[one]);
}

// The attention of all words together.
export function coverageOf(words) {
  return words[0].alpha.map((none, at) => words.reduce((total, word) => total + word.alpha[at], 0));
}

// Which ninth of the photo, row by row, holds the most attention, and how much of it.
export function mainPlace(alpha, rows, columns) {
  const shares = new Float64Array(9);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = 3 * Math.floor((3 * (row + 0.5)) / rows) + Math.floor((3 * (column + 0.5)) / columns);
      shares[at] += alpha[row * columns + column];
    }
  }
  const ninth = shares.indexOf(Math.max(...shares));
  return { ninth, share: shares[ninth] };
}

// The colours of a look, a level each from no attention to the scale's end, as the bytes of a canvas. The tables and all
// other figures of how maps are drawn come from captioner/render/looks.py.
export function colourTable(looks, mode, opacity) {
  const table = Uint8ClampedArray.from(atob(looks.tables[mode]), (char) => char.charCodeAt(0));
  for (let at = 3; at < table.length; at += 4) table[at] *= opacity;
  return new Uint32Array(table.buffer);
}

// --- the smooth field

// From 14×14 weights to a smooth field, as scikit-image's pyramid_expand defines it: bilinear enlargement, then a Gaussian of a
// third of a cell. Both are separable and linear, so one matrix M does it: field = M · alpha · Mᵀ.
export const UPSCALE = 8;

// Index of a mirrored signal, about the outer samples' centres or (half) about their outer edges.
function mirrored(index, size, half) {
  if (size === 1) return 0;
  const period = half ? 2 * size : 2 * size - 2;
  const folded = ((index % period) + period) % period;
  return folded < size ? folded : period - folded - (half ? 1 : 0);
}

function bilinearMatrix(cells, scale) {
  const rows = [];
  for (let pixel = 0; pixel < cells * scale; pixel++) {
    const place = (pixel + 0.5) / scale - 0.5;
    const below = Math.floor(place);
    const row = new Float64Array(cells);
    row[mirrored(below, cells, false)] += 1 - (place - below);
    row[mirrored(below + 1, cells, false)] += place - below;
    rows.push(row);
  }
  return rows;
}

function gaussianKernel(sigma) {
  const radius = Math.floor(4 * sigma + 0.5);
  const kernel = [];
  for (let offset = -radius; offset <= radius; offset++) kernel.push(Math.exp((-offset * offset) / (2 * sigma * sigma)));
  const total = kernel.reduce((sum, weight) => sum + weight, 0);
  return kernel.map((weight) => weight / total);
}

// A matrix of which each row has few weights, side by side: kept are those, and where they begin.
function banded(matrix, cells) {
  const size = matrix.length / cells;
  const starts = new Int32Array(size);
  let width = 1;
  for (let pixel = 0; pixel < size; pixel++) {
    const row = matrix.subarray(pixel * cells, (pixel + 1) * cells);
    starts[pixel] = Math.max(row.findIndex((weight) => weight !== 0), 0);
    width = Math.max(width, row.findLastIndex((weight) => weight !== 0) - starts[pixel] + 1);
  }
  const weights = new Float32Array(size * width);
  for (let pixel = 0; pixel < size; pixel++) {
    starts[pixel] = Math.min(starts[pixel], cells - width);
    for (let at = 0; at < width; at++) weights[pixel * width + at] = matrix[pixel * cells + starts[pixel] + at];
  }
  return { size, width, starts, weights };
}

export function expandMatrix(cells, scale) {
  const bilinear = bilinearMatrix(cells, scale);
  const kernel = gaussianKernel(scale / 3);
  const radius = (kernel.length - 1) / 2;
  const size = cells * scale;
  const matrix = new Float32Array(size * cells);
  for (let pixel = 0; pixel < size; pixel++) {
    for (let offset = -radius; offset <= radius; offset++) {
      const source = bilinear[mirrored(pixel + offset, size, true)];
      for (let cell = 0; cell < cells; cell++) matrix[pixel * cells + cell] += kernel[offset + radius] * source[cell];
    }
  }
  return banded(matrix, cells);
}

export function nearestMatrix(cells, scale) {
  const matrix = new Float32Array(cells * scale * cells);
  for (let pixel = 0; pixel < cells * scale; pixel++) matrix[pixel * cells + Math.floor(pixel / scale)] = 1;
  return banded(matrix, cells);
}

const scratch = new Map(); // arrays to be filled over and over, by name and length

function reused(name, length) {
  const key = name + length;
  if (!scratch.has(key)) scratch.set(key, new Float32Array(length));
  return scratch.get(key);
}

// alpha (rows × columns), M_rows, M_columns → field, row-major, to be read before the next call.
export function expand(alpha, rows, columns, tall, wide) {
  const stretched = reused('stretched', rows * wide.size);
  for (let row = 0; row < rows; row++) {
    for (let x = 0; x < wide.size; x++) {
      const from = row * columns + wide.starts[x];
      let sum = 0;
      for (let at = 0; at < wide.width; at++) sum += wide.weights[x * wide.width + at] * alpha[from + at];
      stretched[row * wide.size + x] = sum;
    }
  }
  const field = reused('field', tall.size * wide.size).fill(0);
  for (let y = 0; y < tall.size; y++) {
    for (let at = 0; at < tall.width; at++) {
      const weight = tall.weights[y * tall.width + at];
      const from = (tall.starts[y] + at) * wide.size;
      if (weight === 0) continue;
      for (let x = 0; x < wide.size; x++) field[y * wide.size + x] += weight * stretched[from + x];
    }
  }
  return field;
}
