// Photos that visitors bring: how they come to the page, and how they are kept.
import { OWN } from '../model/messages.js';
import { say } from '../model/strings.js';
import { make } from './elements.js';
import { store, stored } from './storage.js';

const KEPT = 'sat-photo';
const MOST = 4_500_000; // bytes; browsers keep some five million characters for a tab

// A photo dropped or pasted anywhere on the page goes to the page's own photo field, whatever its name and kind say: the
// server tells by content, in the visitor's language. A file over ``limit`` bytes, or an address, is not sent; ``refuse``
// says so. ``bring`` is told of each file that goes there, and of none when Gradio's own camera or clipboard may bring one.
// Returns a function that sends a file there.
export function acceptPhotos(limit, refuse, bring) {
  const ADDRESS = /^(https?:\/\/|data:)\S+$/i;

  function field() {
    return document.querySelector('#photo input[type="file"]');
  }

  // Gradio refuses, in English, what is not called an image: a HEIC without a kind, a photo without a suffix.
  function named(file) {
    return file.type.startsWith('image/') ? file : new File([file], file.name, { type: 'image/jpeg' });
  }

  function send(file) {
    const input = field();
    if (!input || !file) return;
    if (refuse && file.size > limit) return refuse('large');
    const transfer = new DataTransfer();
    transfer.items.add(named(file));
    input.files = transfer.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
  }

  function carries(event, kind) {
    return event.dataTransfer && Array.from(event.dataTransfer.types).includes(kind);
  }

  document.addEventListener('click', (event) => {
    if (!event.target.closest('#photo')) return;
    if (event.isTrusted) bring(null);
    if (field()) field().removeAttribute('accept');
  }, true);
  document.addEventListener('change', (event) => {
    const file = event.target.matches('#photo input[type="file"]') && event.target.files[0];
    if (!file) return;
    if (named(file) === file && !(refuse && file.size > limit)) return bring(file);
    event.stopImmediatePropagation();
    event.target.value = '';
    send(file);
  }, true);

  // The whole page is where a photo may be dropped, in full screen too, and says so while one is dragged over it.
  const target = make('div', 'sat-drop');
  target.setAttribute('aria-hidden', 'true');
  target.append(make('span', '', say('drop')));

  document.addEventListener('dragover', (event) => {
    const file = carries(event, 'Files');
    if (!file && !carries(event, 'text/uri-list')) return;
    event.preventDefault();
    if (file && field() && !target.isConnected) (document.fullscreenElement || document.body).append(target);
  }, true);
  document.addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) target.remove();
  }, true);
  document.addEventListener('drop', (event) => {
    target.remove();
    const link = carries(event, 'text/uri-list');
    if (!carries(event, 'Files') && !link) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (event.dataTransfer.files.length) send(event.dataTransfer.files[0]);
    else if (link && refuse) refuse('address');
  }, true);
  document.addEventListener('paste', (event) => {
    const data = event.clipboardData;
    if (!data || event.target.closest('input, textarea')) return;
    if (data.files.length) {
      if (!event.target.closest('#photo')) send(data.files[0]);
    } else if (refuse && ADDRESS.test(data.getData('text/plain').trim())) {
      refuse('address');
    }
  });
  return send;
}

// The visitor's own photo, kept in this tab: a server that was started anew is sent it again, and so is the page that begins
// anew in another language.
export function createKeptPhoto() {
  let brought = null; // the file that was put in last; the server may have refused it
  let kept = null;
  let address = null; // of the photo on the page

  // ``small``: what is kept of it if the page begins anew.
  function keep(file, small) {
    kept = file;
    small.arrayBuffer().then((buffer) => file === kept && store('sessionStorage', KEPT, written(small, new Uint8Array(buffer))));
  }

  return {
    bring: (file) => (brought = file),
    // The page shows a photo: of the visitor's the file is kept, or if there is none, or a large one, what the page shows.
    shown(url, example) {
      if (!url || url === address) return;
      address = url;
      if (example) {
        kept = null;
        store('sessionStorage', KEPT, null);
      } else if (brought && brought.size <= MOST) {
        keep(brought, brought);
      } else {
        const file = brought;
        fetch(url).then((answer) => answer.blob()).then((blob) => {
          const view = new File([blob], 'photo.jpg', { type: 'image/jpeg' });
          if (url === address) keep(file || view, view);
        });
      }
    },
    isNeeded: (search) => new URLSearchParams(search).get('photo') === OWN,
    file: () => kept || read(stored('sessionStorage', KEPT)),
  };
}

// A file as text: its kind, its name, and a character a byte.
function written({ name, type }, bytes) {
  const pieces = [encodeURIComponent(type), '\n', encodeURIComponent(name), '\n'];
  for (let start = 0; start < bytes.length; start += 8192) {
    pieces.push(String.fromCharCode(...bytes.subarray(start, start + 8192)));
  }
  return pieces.join('');
}

function read(text) {
  if (!text) return null;
  const [type, name] = text.split('\n', 2);
  const bytes = Uint8Array.from(text.slice(type.length + name.length + 2), (each) => each.charCodeAt(0));
  return new File([bytes], decodeURIComponent(name), { type: decodeURIComponent(type) });
}
