"""Sentences that the patterns were made with. `{x}`: a value, `{n}`: what only looks
like one, `{name}`: of a person.
"""

NAMES = {
    "en": (["John", "Mary", "Oliver"], ["Smith", "Miller", "O'Brien"]),
    "de": (["Hans", "Anna", "Jürgen"], ["Müller", "Schmidt", "von Berg"]),
    "fr": (["Pierre", "Chloé", "Jean-Luc"], ["Dupont", "Lefèvre", "de Villiers"]),
    "es": (["Carlos", "Lucía", "José"], ["García", "Fernández", "de la Cruz"]),
    "ru": (["Иван", "Мария", "Сергей"], ["Петров", "Смирнов", "Волков"]),
    "ar": (["محمد", "فاطمة", "أحمد"], ["علي", "حسن", "إبراهيم"]),
    "hi": (["राम", "सीता", "अमित"], ["कुमार", "शर्मा", "वर्मा"]),
    "zh": (["小明", "丽", "建国"], ["王", "李", "张"]),
    "ja": (["太郎", "花子", "健"], ["田中", "山田", "佐藤"]),
    "ko": (["민수", "영희", "지훈"], ["김", "박", "이"]),
}
VALUES = {
    "en": ["You can reach us at {x} until Friday.", "Order {n}: please send the receipt to {x}.", "Noted: {x}, {n}."],
    "de": ["Bitte melden Sie sich unter {x} bei uns.", "Rechnung {n} vom Montag, Kontakt: {x}."],
    "fr": ["Vous pouvez nous joindre ici : {x}.", "La commande {n} est partie, écrivez à {x}"],
    "es": ["Puede contactarnos en {x} cuando quiera.", "Pedido {n}; datos: {x}"],
    "ru": ["Свяжитесь с нами: {x}.", "Заказ {n} отправлен, контакт {x}"],
    "ar": ["يمكنك التواصل معنا على {x} اليوم", "رقم الطلب {n} والعنوان {x}"],
    "hi": ["कृपया {x} पर संपर्क करें।", "आदेश {n} के लिए {x} देखें"],
    "zh": ["请通过{x}联系我们。", "订单{n}，资料：{x}。"],
    "ja": ["{x}までご連絡ください。", "注文番号{n}、連絡先は{x}です。"],
    "ko": ["{x} 로 연락 주세요.", "주문 {n}, 연락처: {x}"],
}
TOLD = {  # a title, a form of address, or "my name is"
    "en": ["Dear Mr. {name}, thank you for your letter.", "Hello, my name is {name} and I need help.",
           "Dr {name} called."],
    "de": ["Sehr geehrte Frau {name}, danke.", "Mein Name ist {name}, ich habe eine Frage."],
    "fr": ["Bonjour Madame {name}, merci.", "Je m'appelle {name} et j'écris de Lyon."],
    "es": ["Estimado Sr. {name}:", "Me llamo {name} y vivo aquí."],
    "ru": ["Уважаемый господин {name}, спасибо.", "Меня зовут {name}, я из Тулы."],
    "ar": ["السيد {name} في المكتب", "اسمي {name} من القاهرة"],
    "hi": ["श्री {name} ने फोन किया", "मेरा नाम {name} है"],
    "zh": ["{name}先生，您好。", "我叫{name}，来自北京。"],
    "ja": ["{name}さんから電話がありました。", "私は{name}です。"],
    "ko": ["{name} 씨가 전화했습니다.", "제 이름은 {name}입니다."],
}
ALONE = {
    "en": ["Yesterday {name} wrote to us.", "The parcel is for {name}."],
    "de": ["Gestern hat {name} geschrieben.", "Das Paket ist für {name}."],
    "fr": ["Hier {name} nous a écrit."], "es": ["Ayer {name} nos escribió."], "ru": ["Вчера {name} написал нам."],
    "ar": ["أمس كتب {name} لنا"], "hi": ["कल {name} ने लिखा"], "zh": ["昨天{name}写信给我们。"],
    "ja": ["昨日、{name}から手紙が来た。"], "ko": ["어제 {name} 편지를 썼다."],
}
PLAIN = {  # nobody is in them
    "en": ["The Director of Sales met Mr President on Monday.", "Call me Monday, this is March weather in New York."],
    "de": ["Frau Präsidentin eröffnete die Sitzung am Dienstag.", "Die Firma in Berlin liefert Brot und Käse."],
    "fr": ["Monsieur le Maire arrive lundi à Paris."], "es": ["El Presidente llegó el lunes a Madrid."],
    "ru": ["Господин Президент прибыл в Москву в понедельник."], "ar": ["وصل القطار إلى القاهرة صباحا"],
    "hi": ["ट्रेन सुबह दिल्ली पहुँची"], "zh": ["星期一火车到了北京。"], "ja": ["お客様、皆さん、会社の皆様へ。"],
    "ko": ["월요일에 기차가 서울에 왔다."],
}
