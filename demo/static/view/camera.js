// The browser's camera: one stream, its frames, and its end. The light goes off with the last track.
import { isDark } from '../model/live.js';

const SIDE = 320; // pixels of a frame's longer side
const MOMENT = 1280; // of a moment to be studied
const QUALITY = 0.8; // of a frame's JPEG
const TINY = 16; // pixels a side of what tells whether the camera sees anything
const FAILURES = {
  NotAllowedError: 'liveDenied', SecurityError: 'liveDenied', NotFoundError: 'liveNone', OverconstrainedError: 'liveNone',
  NotReadableError: 'liveTaken', AbortError: 'liveTaken',
};

// Why there is no camera: the name of a text.
export function failureOf(error) {
  return FAILURES[error.name] || 'liveNone';
}

function canvas() {
  return document.createElement('canvas');
}

// Draw a video into a canvas, its longer side at most so many pixels.
function drawn(video, target, side) {
  const { videoWidth: width, videoHeight: height } = video;
  const scale = Math.min(1, side / Math.max(width, height));
  const size = { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
  if (target.width !== size.width || target.height !== size.height) Object.assign(target, size);
  target.getContext('2d').drawImage(video, 0, 0, size.width, size.height);
  return target;
}

function fileIn(url) {
  return url.slice(url.indexOf(',') + 1);
}

// ``lost``: called if the camera ends by itself.
export function createCamera(video, lost) {
  const small = canvas();
  const tiny = canvas();
  const eye = Object.assign(tiny, { width: TINY, height: TINY }).getContext('2d', { willReadFrequently: true });
  let [sent, shown] = [canvas(), canvas()]; // the moments of the frame on its way, and of the one that was captioned
  let stream = null;
  let wish = 0; // rises with every opening and closing; what comes late is switched off
  let settings = {}; // of the stream, as the browser tells them
  let facing = 'environment'; // on phones the camera at the back comes first
  let at = -1; // the picture that was last taken

  function close() {
    wish++;
    if (stream) stream.getTracks().forEach((track) => track.stop());
    stream = null;
    video.srcObject = null;
  }

  async function several() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    return devices.filter((device) => device.kind === 'videoinput');
  }

  // Open the camera that is asked for; whether it was, and is still wanted.
  async function open(chosen) {
    close();
    const mine = wish;
    const size = { width: { ideal: MOMENT }, height: { ideal: 720 } };
    const got = await navigator.mediaDevices.getUserMedia({ video: { ...chosen, ...size }, audio: false });
    if (mine !== wish) {
      got.getTracks().forEach((track) => track.stop());
      return false;
    }
    stream = got;
    const [track] = got.getVideoTracks();
    settings = track.getSettings();
    track.addEventListener('ended', () => stream === got && lost());
    at = -1;
    video.srcObject = got;
    await video.play();
    return mine === wish;
  }

  return {
    close,
    // Whether this browser gives a page like this one a camera at all: else the name of a text that says why.
    refusal() {
      if (navigator.mediaDevices && navigator.mediaDevices.getUserMedia) return '';
      return window.isSecureContext ? 'liveNone' : 'liveInsecure';
    },
    open: () => open({ facingMode: { ideal: facing } }),
    several: async () => (await several()).length > 1,
    // The other camera: of a phone the one on its other side, else the next.
    async turn() {
      const { facingMode, deviceId } = settings;
      if (facingMode) {
        facing = facingMode === 'environment' ? 'user' : 'environment';
        return open({ facingMode: { ideal: facing } });
      }
      const devices = (await several()).map((device) => device.deviceId);
      return open({ deviceId: { exact: devices[(devices.indexOf(deviceId) + 1) % devices.length] } });
    },
    // The newest picture as a JPEG file in base64; null if it was taken already. ``dark``: it shows nothing, and no file
    // is made.
    frame() {
      if (!stream || !video.videoWidth || video.currentTime === at) return null;
      at = video.currentTime;
      drawn(video, small, SIDE);
      eye.drawImage(small, 0, 0, TINY, TINY);
      if (isDark(eye.getImageData(0, 0, TINY, TINY).data)) return { dark: true };
      drawn(video, sent, MOMENT);
      return { dark: false, jpeg: fileIn(small.toDataURL('image/jpeg', QUALITY)) };
    },
    // The frame that was sent last is the one with words now.
    captioned() {
      [sent, shown] = [shown, sent];
    },
    // That moment in full: a canvas.
    moment: () => shown,
  };
}

// A canvas as a JPEG file in base64, in at most so many characters.
export function fileOf(picture, limit) {
  const made = [0.92, 0.8, 0.6, 0.4].map((quality) => () => fileIn(picture.toDataURL('image/jpeg', quality)));
  for (const make of made) {
    const file = make();
    if (file.length <= limit) return file;
  }
  return '';
}
