// Maps, a weight a cell: their sums, the end of their scale, and their colours. A region is the cells from top, left to
// bottom, right.
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
