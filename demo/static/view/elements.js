// What several views do with elements: make, fill, lay over, paint.

export function make(tag, name = '', text = '') {
  const made = document.createElement(tag);
  if (tag === 'button') made.type = 'button';
  if (name) made.className = name;
  if (text) made.textContent = text;
  return made;
}

// A bar as long as a share of its track.
export function track(share, name = '') {
  const made = make('span', 'sat-track' + (name && ' ' + name));
  made.style.setProperty('--share', share);
  return made;
}

// Only what changes is written: the page is not laid out anew for every frame.
export function setText(part, text) {
  if (part.textContent !== text) part.textContent = text;
}

export function setAttribute(part, name, value) {
  if (part.getAttribute(name) !== value) part.setAttribute(name, value);
}

// Whether a button that stays down is down.
export function press(button, pressed) {
  setAttribute(button, 'aria-pressed', String(pressed));
}

// A button's or a slider's name, for whoever points at it and whoever hears it.
export function label(part, text) {
  part.setAttribute('aria-label', text);
  part.title = text;
}

// Lay a frame over a region of cells; none, hide it.
export function outline(marker, region, grid) {
  marker.hidden = !region;
  if (!region) return;
  const [top, left, bottom, right] = region;
  marker.style.left = (100 * left) / grid[1] + '%';
  marker.style.top = (100 * top) / grid[0] + '%';
  marker.style.width = (100 * (right + 1 - left)) / grid[1] + '%';
  marker.style.height = (100 * (bottom + 1 - top)) / grid[0] + '%';
}

// Whether somebody points at one of its buttons, or came to it by keys: then it stays as it is.
export function isHeld(list) {
  return Boolean(list.querySelector('button:hover, button:focus-visible'));
}

const images = new WeakMap(); // of each canvas, to be painted over and over

function imageOf(canvas, context, width, height) {
  const kept = images.get(canvas);
  if (kept && kept.image.width === width && kept.image.height === height) return kept;
  const image = context.createImageData(width, height);
  images.set(canvas, { image, pixels: new Uint32Array(image.data.buffer) });
  return images.get(canvas);
}

// A field, row by row, in the colours of a table, of which the last one stands for ``top`` and above.
export function paintField(canvas, field, width, height, top, table) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext('2d');
  const { image, pixels } = imageOf(canvas, context, width, height);
  const last = table.length - 1;
  const scale = top > 0 ? last / top : 0;
  for (let index = 0; index < pixels.length; index++) {
    pixels[index] = table[Math.min(last, (field[index] * scale + 0.5) | 0)]; // no weight is below 0
  }
  context.putImageData(image, 0, 0);
}
