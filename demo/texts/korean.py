"""Korean: the same sentences, for a page that is Korean."""

# What a visitor can be told, by its English; there `{}` stands for each part that varies, here its number does.
SENTENCES = {
    "This is not an image we can read; please use a JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP or TIFF file.": (
        "읽을 수 있는 이미지가 아닙니다. JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP 또는 TIFF 파일을 써 주세요."
    ),
    "HEIC photos cannot be read here, which is a matter of the installation; please export the photo as a JPEG.": (
        "이곳에는 HEIC 사진을 읽는 기능이 설치되어 있지 않습니다. JPEG로 내보내서 올려 주세요."
    ),
    "Photos are not fetched from addresses; please download this one and name the file.": (
        "주소에 있는 사진은 가져오지 않습니다. 내려받아서 파일을 직접 올려 주세요."
    ),
    "The end of this file is missing; the caption is of the part that is there.": (
        "파일의 끝부분이 없습니다. 설명문은 남아 있는 부분에 대한 것입니다."
    ),
    "This image has too many pixels ({}); please shrink it below {} million pixels.": (
        "이미지의 픽셀이 너무 많습니다({0}). {1}백만 픽셀보다 작게 줄여 주세요."
    ),
    "This image has too many pixels; please shrink it below {} million pixels.": (
        "이미지의 픽셀이 너무 많습니다. {0}백만 픽셀보다 작게 줄여 주세요."
    ),
    "This image is only {} pixels; please use one of at least {} pixels a side.": (
        "이미지가 {0}픽셀뿐입니다. 가로와 세로가 모두 {1}픽셀 이상인 것을 써 주세요."
    ),
    "This image is too thin ({}); please crop it to less than {} to 1.": (
        "이미지가 너무 가늘고 깁니다({0}). {1} 대 1보다 작은 비율로 잘라 주세요."
    ),
    "This image file is damaged or incomplete; please export or download it again.": (
        "이미지 파일이 손상되었거나 끝까지 오지 않았습니다. 다시 내보내거나 내려받아 주세요."
    ),
    "More than half of this picture is missing; please export or download it again.": (
        "그림의 절반 넘게 빠져 있습니다. 다시 내보내거나 내려받아 주세요."
    ),
    "This file is over the maximum allowed size of {} MB; please shrink it.": (
        "파일이 너무 큽니다. {0} MB보다 작게 줄여 주세요."
    ),
    "There is no file {}; please check the path.": "파일이 없습니다. 사진을 다시 올려 주세요.",
    "Please choose a photo first; the last one is no longer kept.": (
        "먼저 사진을 골라 주세요. 지난 사진은 더 이상 보관하지 않습니다."
    ),
    "The photo of this page is no longer kept; please put it in again.": (
        "이 페이지의 사진을 더 이상 보관하지 않습니다. 다시 올려 주세요."
    ),
    "Please choose a place on the photo first.": "먼저 사진에서 한 곳을 골라 주세요.",
    "There is no finished caption yet; please wait for one.": "아직 다 쓴 문장이 없습니다. 잠시 기다려 주세요.",
    "There is no such question; please reload the page.": "그런 질문은 없습니다. 페이지를 새로 고쳐 주세요.",
    "There is no such caption on the page; please reload it.": "그런 문장은 없습니다. 페이지를 새로 고쳐 주세요.",
    "{} is kept; please choose a word after it, or do not keep that change.": (
        "{0}을(를) 유지하고 있습니다. 그 뒤의 단어를 고르거나, 바꾼 것을 유지하지 마세요."
    ),
    "Your sentence has words of its own; please do not keep the word that was said.": (
        "내 문장에는 이미 단어가 있습니다. 바꾼 단어를 유지하지 마세요."
    ),
    "Please choose a word of the search that was dropped.": "탐색에서 탈락한 단어를 골라 주세요.",
    "There is no such example; please reload the page.": "그런 예시는 없습니다. 페이지를 새로 고쳐 주세요.",
    "The kind of file must be one of {}, got {}": "파일 종류는 {0} 가운데 하나여야 합니다.",
    "the model does not know the word {}; please use another": "모델이 모르는 단어입니다: {0}. 다른 단어를 써 주세요.",
    "a beginning must have at most {} words, got {}": "첫머리는 {0}단어 이하여야 합니다. 지금은 {1}단어입니다.",
    "a sentence must have 1 to {} words, got {}": "문장은 1~{0}단어여야 합니다. 지금은 {1}단어입니다.",
    "a sentence must have at most {} words, got {}": "문장은 {0}단어 이하여야 합니다. 지금은 {1}단어입니다.",
    "a sentence must have at most {} characters, got {}": "문장은 {0}자 이하여야 합니다. 지금은 {1}자입니다.",
    "{} can only be the last word of a caption": "{0}은(는) 문장의 마지막에만 올 수 있습니다.",
    "{} must be a whole number from {} to {}, got {}": "{0}은(는) {1}에서 {2} 사이의 정수여야 합니다. 받은 값: {3}",
    "{} must be a whole number, got {}": "{0}은(는) 정수여야 합니다. 받은 값: {1}",
    "{} must be a number from {} to {}, got {}": "{0}은(는) {1}에서 {2} 사이의 수여야 합니다. 받은 값: {3}",
    "{} must be {} numbers, got {}": "{0}은(는) 수 {1}개여야 합니다. 받은 값: {2}",
    "{} must be a list of words, got {}": "{0}은(는) 단어 목록이어야 합니다. 받은 값: {1}",
    "{} must be text, got {}": "{0}은(는) 글이어야 합니다. 받은 값: {1}",
    "{} must be one of {}, got {}": "{0}은(는) {1} 가운데 하나여야 합니다. 받은 값: {2}",
    "At temperature 0 no word is drawn, so the temperature is now {}.": (
        "온도 0에서는 단어를 추첨하지 않으므로 온도를 {0}(으)로 올렸습니다."
    ),
    "{} are waiting already; please try again in a few minutes.": (
        "이미 {0}명이 기다리고 있습니다. 몇 분 뒤에 다시 해 주세요."
    ),
    "That message could not be read; please reload the page.": "요청을 읽을 수 없습니다. 페이지를 새로 고쳐 주세요.",
    "Something went wrong on the server; please try again.": "서버에 문제가 생겼습니다. 다시 해 주세요.",
    "Photos are not fetched from addresses; please send the file itself.": (
        "주소에 있는 사진은 가져오지 않습니다. 파일을 직접 올려 주세요."
    ),
    "That file was not sent to this page; please send a photo.": (
        "이 페이지에 올린 파일이 아닙니다. 사진을 올려 주세요."
    ),
    "Please send all {} values; only {} came.": "값 {0}개를 모두 보내 주세요. {1}개만 왔습니다.",
    "Please send a photo.": "사진을 보내 주세요.",
    "{} must be {} rows of {} numbers, got {} rows of {}": (
        "{0}은(는) {2}개씩 {1}줄의 수여야 합니다. 받은 값: {4}개씩 {3}줄"
    ),
    "{} must be {} rows of {} numbers, got {}": "{0}은(는) {2}개씩 {1}줄의 수여야 합니다. 받은 값: {3}",
    "{} must hold finite numbers from 0 up": "{0}에는 0 이상의 유한한 수만 쓸 수 있습니다.",
    "{} must not be 0 everywhere": "{0}은(는) 모두 0일 수 없습니다.",
    "mask must hold only 0 and 1": "mask에는 0과 1만 쓸 수 있습니다.",
    "{} may not be read; please change its permissions.": "파일을 읽을 권한이 없습니다. 사진을 다시 올려 주세요.",
    "{} is a folder, not a photo; please name a file in it.": "사진이 아니라 폴더입니다. 사진 파일을 올려 주세요.",
    "{} is not an ordinary file; please name a photo.": "보통 파일이 아닙니다. 사진 파일을 올려 주세요.",
    "This message is over the maximum allowed size of {} MB; please send less.": (
        "요청이 너무 큽니다. {0} MB보다 작게 보내 주세요."
    ),
    "This did not arrive in whole; please send it again.": "끝까지 오지 않았습니다. 다시 보내 주세요.",
    "This page does not offer that.": "이 페이지에는 그런 것이 없습니다.",
    "Addresses are not fetched here; please ask for a file of this page.": (
        "주소에 있는 것은 가져오지 않습니다. 이 페이지의 파일을 요청해 주세요."
    ),
    "This message could not be read; please send JSON as the API description says.": (
        "요청을 읽을 수 없습니다. API 설명에 맞는 JSON을 보내 주세요."
    ),
    "There is no such endpoint; please see the API description.": "그런 API가 없습니다. API 설명을 확인해 주세요.",
    "The field {} is of the wrong kind; please see the API description.": (
        "필드 {0}의 형식이 맞지 않습니다. API 설명을 확인해 주세요."
    ),
    "No endpoint here takes batches; please send one photo at a time.": (
        "여러 장을 한꺼번에 받지 않습니다. 사진을 한 장씩 보내 주세요."
    ),
    "The field session_hash must be 1 to 64 letters, digits, - or _.": (
        "필드 session_hash는 영문자, 숫자, -, _ 1~64자여야 합니다."
    ),
}

# What the card of the bundled checkpoint says, by its English; a name of scores part by part.
ABOUT = {
    "{} photos": "사진 {0}장",
    "beam size {}": "빔 크기 {0}",
    "temperature {}": "온도 {0}",
    "attention on reference head nouns": "사람이 쓴 설명의 명사에 대한 주의",
    "attention on nouns of its own captions": "모델이 쓴 설명의 명사에 대한 주의",
    "attention maps of its own captions": "모델이 쓴 설명의 주의 지도",
    "log-probability as cells are deleted": "칸을 지워 갈 때의 로그 확률",
    "phrases": "구",
    "words": "단어",
    "correctness": "정답률",
    "correctness over uniform": "고른 지도 대비 정답률",
    "pointing": "가리키기",
    "uniform map": "고른 지도",
    "centre map": "가운데 지도",
    "another photo's map": "다른 사진의 지도",
    "middle of the photo": "사진 한가운데",
    "normalised entropy": "정규화한 엔트로피",
    "distance between words": "단어 사이의 거리",
    "deletion": "지우기",
    "insertion": "더하기",
    "random order": "무작위 순서",
    "whole photo": "사진 전체",
    "mean annotation alone": "평균만 볼 때",
    "distinct captions": "서로 다른 설명",
    "distinct words": "서로 다른 단어",
    "mean length": "평균 길이",
    "dangling": "덜 끝난 문장",
    "says a word twice": "단어를 두 번 씀",
    "a drawing of a horse": "말 그림",
    "the moon": "달",
    "a retina": "망막",
    "a dog on a roof beside a surfboard (everyday val)": "지붕 위 서프보드 옆의 개 (everyday val)",
    "a person flying a kite on a hill (everyday val)": "언덕에서 연을 날리는 사람 (everyday val)",
    "a woman in a navy suit with a cap": "모자를 쓰고 남색 정장을 입은 여성",
    "Flickr8k train (5,999 photos, 5 captions each) with the boxes of Flickr30k Entities; 1,350 MS COCO photos with "
    "captions. The encoder also learned from 11,088 COCO and Visual7W photos with captions that three networks "
    "together had proposed, and from the words of the Localized Narratives of 1,824 ADE20K photos. Choices were "
    "made on the two val splits; the test split of Flickr8k was not used.": (
        "Flickr8k의 train 사진 5,999장(설명 5개씩)과 Flickr30k Entities의 상자, 설명이 있는 MS COCO 사진 1,350장. "
        "인코더는 신경망 세 개가 함께 제안한 설명이 달린 COCO와 Visual7W 사진 11,088장, 그리고 ADE20K 사진 1,824장의 "
        "Localized Narratives에 나오는 단어로도 학습했습니다. 여러 선택은 두 val 사진으로 했고, Flickr8k의 test 사진은 "
        "쓰지 않았습니다."
    ),
    "It has seen some 20,000 photos, 7,349 of them with people's own captions: people and dogs outdoors, and everyday "
    "scenes. What lies outside, it describes as something from inside. It cannot count beyond two or three, read text "
    "or know names. Words about people repeat what annotators wrote and say nothing reliable about a person. Attention "
    "is not proof of cause.": (
        "사진을 2만 장쯤 보았고, 그 가운데 7,349장에는 사람이 직접 쓴 설명이 있었습니다. 야외의 사람과 개, "
        "그리고 일상의 장면입니다. 그 밖의 것은 아는 것 가운데 하나로 설명합니다. 둘이나 셋을 넘는 수는 세지 못하고, "
        "글자를 읽거나 이름을 알지 못합니다. 사람에 대한 단어는 설명을 쓴 사람들의 말을 되풀이할 뿐이며, 그 사람에 "
        "대해 믿을 만한 것을 말해 주지 않습니다. 주의는 원인의 증명이 아닙니다."
    ),
    "Non-commercial use only (research, teaching, personal experiments): see LICENSE-resnet50-pqf.txt and NOTICE.md "
    "beside the weights. The encoder is derived from the ResNet-50 of Permute, Quantize, and Fine-tune (Martinez et "
    "al., CVPR 2021), https://github.com/uber-research/permute-quantize-finetune, changed in November 2026. Trained on "
    "Flickr8k, MS COCO, ADE20K and Visual7W photos, for non-commercial research and education; COCO captions and "
    "Localized Narratives are CC BY 4.0.": (
        "비상업적 용도로만 쓸 수 있습니다(연구, 교육, 개인 실험). 가중치와 함께 있는 LICENSE-resnet50-pqf.txt와 "
        "NOTICE.md를 보세요. 인코더는 Permute, Quantize, and Fine-tune(Martinez 외, CVPR 2021)의 ResNet-50에서 온 "
        "것으로, https://github.com/uber-research/permute-quantize-finetune, 2026년 11월에 고쳤습니다. Flickr8k, MS "
        "COCO, ADE20K, Visual7W의 사진으로 비상업적 연구와 교육을 위해 학습했습니다. COCO의 설명과 Localized "
        "Narratives는 CC BY 4.0입니다."
    ),
}

SHAPE = "ResNet {}층, {}×{}칸. LSTM {}, 단어 {:,}개. 저장 형식 {}. 여기서 인코더는 {} 형식으로 계산합니다({})."
OWN_MAP = "그 단어의 지도"

# Of each word of the glossary the forms in which it stands on the page, and one sentence.
GLOSSARY = {
    "nats": {
        "forms": ["나트"],
        "says": "나트는 밑이 e인 로그의 단위입니다. 로그 확률이 1나트 낮으면 e ≈ 2.7배 덜 그럴듯하고, 엔트로피 n나트는 "
        "무게가 같은 칸 eⁿ개의 엔트로피와 같습니다.",
    },
    "gate": {
        "forms": ["게이트", "β"],
        "says": "게이트 β는 0과 1 사이의 값으로, 단어를 쓰기 전 LSTM의 상태에서 계산되어 주의로 읽은 것을 LSTM에 "
        "얼마나 들여보낼지 정합니다.",
    },
    "beam": {
        "forms": ["빔", "빔 크기"],
        "says": "빔 탐색은 단어마다 가장 유력한 첫머리를 빔 크기만큼만 남기고, 거기서 끝난 문장들의 순위를 매깁니다.",
    },
    "temperature": {
        "forms": ["온도"],
        "says": "온도 0에서는 가장 유력한 단어를 남기고, 0보다 높으면 단어를 추첨하며 높을수록 더 고르게 뽑습니다.",
    },
    "focus": {
        "forms": ["집중"],
        "says": "집중은 지도의 엔트로피가 고른 지도보다 얼마나 낮은지입니다. 막대가 가득 차면 한 칸만, 비면 모든 칸을 "
        "똑같이 본 것입니다.",
    },
    "log-probability": {
        "forms": ["로그 확률"],
        "says": "로그 확률은 모델이 그 자리의 단어를 얼마나 그럴듯하게 보는지의 자연로그이고, 문장에서는 단어들과 끝의 "
        "값을 더한 것이며, 0이면 확실하다는 뜻입니다.",
    },
}

# What varies in them and is a word.
WORDS = {"beam size": "빔 크기", "beam_size": "빔 크기", "temperature": "온도", "seed": "시드", "nothing": "없음"}

# What the page says about the model.
LEAD = "모델 “{0}”은(는) 사진을 {1}×{1}칸으로 나누어 보고, 단어 {2:,}개로 설명을 씁니다."
TRAINED_HEAD = "무엇으로 학습했는지"
GOOD_HEAD = "얼마나 잘하는지"
LOOKS_HEAD = "어디를 보는지"
LIMITS_HEAD = "무엇을 못하는지"
TERMS_HEAD = "어떻게 쓸 수 있는지"
NUMBERS_HEAD = "측정한 모든 것"
OPEN_NUMBERS = "모든 숫자 보기"

OWN_MODEL = "이 모델 (val)"
PUBLISHED = {
    "hard": "하드 어텐션, Xu 외 2015 (test)",
    "soft": "소프트 어텐션, Xu 외 2015 (test)",
    "told": "Show and Tell, Vinyals 외 2014 (test)",
}
BLEU = {
    "BLEU-1": "모델이 쓴 단어의 몇 퍼센트가 같은 사진에 사람이 쓴 설명에도 있는지이며, 설명이 짧으면 깎입니다.",
    "BLEU-4": "한 단어, 두 단어, 세 단어, 네 단어씩 이어지는 말에 대한 같은 비율의 기하 평균입니다.",
}
PUBLISHED_NOTE = (
    "이 모델: {}. 다른 모델: Flickr8k의 test 사진에 대해 Xu 외 2015, “Show, Attend and Tell”의 표 1에 발표된 값이며, "
    "그 표에 Show and Tell의 BLEU-4는 없습니다. 잰 사진도, 인코더도, 학습에 쓴 사진도 서로 다르므로 순위가 아니라 "
    "대략의 위치를 보여 줍니다. 막대는 모두 0에서 시작하고, 그림마다 가장 긴 막대가 끝까지 찹니다."
)
PUBLISHED_TABLE = "flickr8k test에 대해 발표된 값 (Xu 외 2015, 표 1)"
MEASURES = {
    "pointing": (
        "가리키기",
        "주의가 가장 강한 칸이, 단어가 가리키는 것에 사람이 그린 상자 안에 드는 비율입니다. 언제나 들면 1입니다.",
    ),
    "correctness": ("정답률", "주의 가운데 그런 상자 안에 있는 몫입니다. 모두 안에 있으면 1입니다."),
    "normalised entropy": (
        "퍼짐 (정규화한 엔트로피)",
        "한 단어의 주의가 얼마나 넓게 퍼져 있는지입니다. 한 칸뿐이면 0, 모든 칸이 같으면 1입니다.",
    ),
    "distance between words": (
        "단어 사이의 거리",
        "한 설명에서 두 단어의 지도가 얼마나 다른지입니다. 똑같으면 0, 겹치는 칸이 없으면 1입니다.",
    ),
    "whole photo": ("사진 전체", "모든 칸이 있을 때 명사의 평균 로그 확률(나트)입니다."),
    "deletion": (
        "지우기",
        "주의가 강한 칸부터 사진의 평균으로 바꾸어 가는 동안 명사의 평균 로그 확률입니다.",
    ),
    "insertion": ("더하기", "주의가 강한 칸부터 되돌려 가는 동안 명사의 평균 로그 확률입니다."),
    "random order": (
        "무작위 순서",
        "무작위 순서로 칸을 사진의 평균으로 바꾸어 가는 동안 명사의 평균 로그 확률입니다.",
    ),
    "mean annotation alone": ("평균만 볼 때", "모든 칸을 사진의 평균으로 바꾸었을 때 명사의 평균 로그 확률입니다."),
}
CAUSE = (
    "지도는 모델이 어디를 보았는지를 보여 줄 뿐, 왜 그 단어를 골랐는지의 증명은 아닙니다. 괄호 안은 명사의 수입니다. "
    "막대는 모두 0에서 시작하고, 그림마다 가장 긴 막대가 끝까지 찹니다."
)
FAILURES = "틀린 사진"
FAILURE_SHOWN = "사진에 있는 것: "
FAILURE_WRITTEN = "모델이 쓴 것: "
VALUE = "값"

# The words around the player.
PAGE = {
    "photo": "내 사진",
    "photo_hint": "# 내 사진\n끌어다 놓기, 클릭, 붙여넣기",
    "beam": "빔 크기",
    "beam_hint": "함께 겨루는 문장 수",
    "temperature": "온도",
    "temperature_hint": "0은 가장 유력한 단어, 그 위는 추첨",
    "seed": "시드",
    "seed_hint": "시드가 같으면 결과도 같습니다. 온도 0에서는 추첨하지 않습니다.",
    "dice": "새 시드",
    "stop": "멈춤",
    "settings": "탐색 설정",
    "about": "이 모델에 대하여",
}
