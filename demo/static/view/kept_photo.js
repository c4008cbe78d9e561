// The visitor's own photo, kept in this tab: a server that was started anew is sent it again, and so is the page that begins
// anew in another language.
import { OWN } from '../model/messages.js';
import { store, stored } from './storage.js';

const KEPT = 'sat-photo';
const MOST = 4_500_000; // bytes; browsers keep some five million characters for a tab

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
