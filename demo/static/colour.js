// Colours of the map: matplotlib's inferno at 17 places, safe for the colour-blind and in grey print.
const INFERNO = ['000004', '0b0724', '210c4a', '3d0965', '57106e', '71196e', '8a226a', 'a32c61', 'bc3754', 'd24644',
  'e45a31', 'f1731d', 'f98e09', 'fcac11', 'f9cb35', 'f2ea69', 'fcffa4'].map((hex) => [0, 2, 4].map((at) =>
  parseInt(hex.slice(at, at + 2), 16)));

function inferno(share) {
  const place = Math.min(Math.max(share, 0), 1) * (INFERNO.length - 1);
  const below = Math.min(Math.floor(place), INFERNO.length - 2);
  return INFERNO[below].map((value, channel) => value + (place - below) * (INFERNO[below + 1][channel] - value));
}

// Heat starts a little above black, and is clear where nothing is: the photo stays readable.
function heatColour(share, opacity) {
  return [...inferno(0.18 + 0.82 * share), 255 * opacity * Math.min(1, 1.25 * Math.pow(share, 0.9))];
}

// The paper's look: what is attended stays bright, the rest goes dark.
function spotlightColour(share, opacity) {
  return [6, 6, 10, 255 * opacity * (1 - Math.pow(share, 0.7))];
}

const LEVELS = 512;

function colourTable(mode, opacity) {
  const paint = mode === 'spotlight' ? spotlightColour : heatColour;
  const table = new Uint8ClampedArray(LEVELS * 4);
  for (let level = 0; level < LEVELS; level++) table.set(paint(level / (LEVELS - 1), opacity), level * 4);
  return new Uint32Array(table.buffer);
}

const images = new WeakMap(); // of each canvas, to be painted over and over

function imageOf(canvas, context, width, height) {
  const kept = images.get(canvas);
  if (kept && kept.image.width === width && kept.image.height === height) return kept;
  const image = context.createImageData(width, height);
  images.set(canvas, { image, pixels: new Uint32Array(image.data.buffer) });
  return images.get(canvas);
}

function paintField(canvas, field, width, height, top, table) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext('2d');
  const { image, pixels } = imageOf(canvas, context, width, height);
  const scale = top > 0 ? (LEVELS - 1) / top : 0;
  for (let index = 0; index < pixels.length; index++) {
    pixels[index] = table[Math.min(LEVELS - 1, (field[index] * scale + 0.5) | 0)]; // no weight is below 0
  }
  context.putImageData(image, 0, 0);
}
