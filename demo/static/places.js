// A map in words: which ninth of the photo holds the most attention, and how much of it.
function mainPlace(alpha, rows, columns) {
  const shares = new Float64Array(9);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const ninth = 3 * Math.floor((3 * (row + 0.5)) / rows) + Math.floor((3 * (column + 0.5)) / columns);
      shares[ninth] += alpha[row * columns + column];
    }
  }
  const best = shares.indexOf(Math.max(...shares));
  return { place: say('places')[best], share: shares[best] };
}

function mapInWords(word, grid) {
  const { place, share } = mainPlace(word.alpha, grid[0], grid[1]);
  return say('map', { word: word.end ? say('end') : word.text, place, share: percent(share, 0) });
}
