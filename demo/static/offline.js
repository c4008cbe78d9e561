// The page that plays a caption with no server: its heading, the player, and whose work it shows.
import { startHeader } from './components.js';
import { LANGUAGE, say } from './model/strings.js';
import { startPlayer } from './player.js';

export function startOffline({ element, props, watch, trigger }) {
  document.documentElement.lang = LANGUAGE;
  startHeader({ element });
  element.querySelector('.sat-credit a').textContent = say('paper');
  element.querySelector('.sat-credit span').textContent = say('project');
  startPlayer({ element: element.querySelector('#player'), props, watch, trigger });
}
