// Texts of the player in English and Korean; the page's language chooses.
const TEXTS = {
  en: {
    tagline: 'A neural network describes a photo, and shows where it looks for every word.',
    play: 'Play', pause: 'Pause', previous: 'Previous word', next: 'Next word', loop: 'Loop', speed: 'Speed',
    scrub: 'Position in the caption', heat: 'Heat', spotlight: 'Spotlight', smooth: 'Smooth', cells: 'Cells',
    scaleCaption: 'One scale', scaleWord: 'Scale per word', opacity: 'Strength', look: 'Look', words: 'All words',
    empty: 'Drop a photo anywhere on this page', looking: 'Looking at the photo…', guessing: 'Leading guess',
    writing: 'Writing…', done: '', stopped: 'Stopped', drop: 'Drop the photo here', caption: 'Caption', end: 'end',
    cut: 'The length limit came before the end of the sentence.',
    likeliest: 'Likeliest words here', focus: 'Focus', gate: 'Gate',
    focusLine: 'Attention worth {cells} of {all} cells (entropy {nats} nats).',
    gateLine: 'How much of what it sees it lets in for this word.',
    shared: 'All these words share one map: the model looks first, then chooses.',
    cause: 'The map shows where it looked, which is not proof of why it chose the word.',
    none: 'no preference', nobody: 'The words appear here.', map: '{word}: {place}, {share} of the attention',
    photo: 'The photo being captioned', legend: 'attention in one cell', examples: 'Example photos',
    Astronaut: 'Astronaut', Cat: 'Cat', Coffee: 'Coffee', Rocket: 'Rocket',
    keys: 'Space plays, ← → step, 1–9 jump, F lecture, C coverage',
    whatif: 'What if?', askPlace: 'Look here for this word', askPlaceHint: 'First click or drag a place on the photo', askHide: 'Hide this place',
    whatifLine: 'Hiding a place is the honest check: if the words stay the same, it did not matter for them.',
    askUniform: 'No attention', askOwn: 'How likely?', ownHint: 'Your own sentence', goOn: 'Go on with “{word}”',
    origins: { search: '', word: 'another word', place: 'looked elsewhere', hide: 'with a place hidden', uniform: 'no attention', own: 'your sentence' },
    takeaway: 'Take it along',
    kinds: { html: 'Web page', gif: 'GIF', webp: 'WebP', png: 'Figure PNG', pdf: 'PDF', svg: 'SVG', json: 'JSON' },
    race: 'Captions the search found', nats: '{nats} nats', lecture: 'Lecture mode (F)', coverage: 'Coverage',
    coverageLine: 'Attention summed over all words. In training, the doubly stochastic term asks that no part of the photo is left out.',
    even: 'even share', energyLine: 'energy of this cell, below the highest', alphaLine: 'attention on this cell',
    contextLine: 'context, through the gate', lstmLine: 'the word before goes in', softmaxLine: 'probability of “{word}”',
    places: ['top left', 'top centre', 'top right', 'centre left', 'centre', 'centre right', 'bottom left',
      'bottom centre', 'bottom right'],
  },
  ko: {
    tagline: '신경망이 사진을 설명하며, 단어마다 어디를 보는지 보여 줍니다.',
    play: '재생', pause: '일시정지', previous: '이전 단어', next: '다음 단어', loop: '반복', speed: '속도',
    scrub: '문장 속 위치', heat: '열지도', spotlight: '조명', smooth: '부드럽게', cells: '칸 그대로',
    scaleCaption: '공통 눈금', scaleWord: '단어별 눈금', opacity: '세기', look: '보기', words: '모든 단어',
    empty: '사진을 이 페이지에 끌어다 놓으세요', looking: '사진을 보는 중…', guessing: '현재 선두',
    writing: '쓰는 중…', done: '', stopped: '멈춤', drop: '여기에 사진을 놓으세요', caption: '설명문', end: '끝',
    cut: '문장이 끝나기 전에 길이 한도에 닿았습니다.',
    likeliest: '이 자리의 유력한 단어', focus: '집중', gate: '게이트',
    focusLine: '{all}칸 중 {cells}칸만큼의 주의 (엔트로피 {nats}나트).',
    gateLine: '이 단어를 쓸 때 본 것을 얼마나 받아들였는지.',
    shared: '이 단어들은 지도 하나를 함께 씁니다. 모델은 먼저 보고, 그다음에 고릅니다.',
    cause: '지도는 어디를 보았는지를 보여 줄 뿐, 왜 그 단어인지의 증명은 아닙니다.',
    none: '치우침 없음', nobody: '단어가 여기에 나타납니다.', map: '{word}: {place}, 주의의 {share}',
    photo: '설명할 사진', legend: '한 칸의 주의', examples: '예시 사진',
    Astronaut: '우주인', Cat: '고양이', Coffee: '커피', Rocket: '로켓',
    keys: '스페이스 재생, ← → 이동, 1–9 바로 가기, F 강의, C 누적',
    whatif: '만약에?', askPlace: '이 단어는 여기를 보게', askPlaceHint: '먼저 사진에서 한 곳을 누르거나 끌어서 고르세요', askHide: '이곳 가리기',
    whatifLine: '가리기가 정직한 확인입니다. 가려도 단어가 그대로라면, 그곳은 그 단어에 중요하지 않았습니다.',
    askUniform: '주의 없이', askOwn: '얼마나 그럴듯할까?', ownHint: '내가 쓴 문장', goOn: '“{word}”(으)로 이어 쓰기',
    origins: { search: '', word: '다른 단어', place: '다른 곳을 봄', hide: '한 곳을 가림', uniform: '주의 없음', own: '내 문장' },
    takeaway: '가져가기',
    kinds: { html: '웹페이지', gif: 'GIF', webp: 'WebP', png: '그림 PNG', pdf: 'PDF', svg: 'SVG', json: 'JSON' },
    race: '탐색이 찾은 문장들', nats: '{nats}나트', lecture: '강의 모드 (F)', coverage: '누적',
    coverageLine: '모든 단어의 주의를 더한 지도입니다. 학습의 이중 확률 항은 사진의 어느 부분도 빠뜨리지 말라고 요구합니다.',
    even: '고른 몫', energyLine: '이 칸의 에너지 (최고 대비)', alphaLine: '이 칸의 주의',
    contextLine: '게이트를 지난 문맥', lstmLine: '앞 단어가 들어감', softmaxLine: '“{word}”의 확률',
    places: ['왼쪽 위', '가운데 위', '오른쪽 위', '왼쪽 가운데', '한가운데', '오른쪽 가운데', '왼쪽 아래',
      '가운데 아래', '오른쪽 아래'],
  },
};

const LANGUAGE = (navigator.language || 'en').toLowerCase().startsWith('ko') ? 'ko' : 'en';

function say(key, values) {
  const text = TEXTS[LANGUAGE][key];
  if (!values) return text;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
}

function percent(share, digits) {
  const shown = digits === undefined ? (share < 0.1 ? 1 : 0) : digits;
  return (100 * share).toFixed(shown) + ' %';
}

// A minus sign, not a hyphen; and no minus before zero.
function signed(number) {
  return /^-0(\.0*)?$/.test(number) ? number.slice(1) : number.replace('-', '−');
}
