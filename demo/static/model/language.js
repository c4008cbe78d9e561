// The page's language, decided once: `arrival.js` asks before anything is drawn; <html lang> and the browser's own answer say
// it from then on. Python's half is `language` in demo/texts.
export const LANGUAGES = { en: 'English', ko: '한국어' };
export const PARAMETER = 'lang'; // of the address
export const KEPT = 'sat-language'; // the choice of an earlier visit

// The first wish for a language that the page has, such as ko-KR; English if there is none.
export function languageOf(...wishes) {
  const known = wishes.map((wish) => Object.keys(LANGUAGES).find((each) => new RegExp('^\\s*' + each + '\\b', 'i').test(wish || '')));
  return known.find(Boolean) || 'en';
}

// What the address asks for, then what was chosen before, then the browser's own.
export function languageOfPage(search, kept, spoken) {
  return languageOf(new URLSearchParams(search).get(PARAMETER), kept, spoken);
}
