"""What people put beside names, in the languages that are known here: titles, forms of address, "my name is"."""

from __future__ import annotations


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _any(words: str) -> str:
    """A pattern of any of the words, which may have spaces in them: a `|` stands between."""
    found = {" ".join(one.split()) for one in words.split("|")}
    return "|".join(sorted(found - {""}, key=lambda one: (-len(one), one)))


# Before a name, with a dot or without.
TITLES = _any("|".join(_set("""
Mr Mrs Ms Miss Mx Dr Prof Professor Sir Madam Lord Lady Rev Capt Captain Lt Sgt Judge Senator
Herr Herrn Frau Fräulein Familie Hr Fr Mag Monsieur Madame Mademoiselle Mme Mlle MM M Maître Docteur
Señor Señora Señorita Sr Sra Srta Don Doña Lic Signor Signora Signorina Sig Dott Dottoressa Dottor Avv
Senhor Senhora Dona Dra Meneer Mevrouw Dhr Mevr Mw Pan Pani Panu Panią Pana Bay Bayan Sayın
Господин Госпожа Господину Госпоже Доктор Профессор Товарищ господин госпожа г-н г-жа г-ну г-же Пан Пані
Κύριος Κυρία Κύριο Κυρίας κύριος κυρία κύριο Δρ κ κα Κ Κα δρ""")))
# What stands behind a title and is no name.
NOT = _set("""
President Chairman Chairwoman Minister Secretary Ambassador Speaker Präsident Präsidentin Ministerin Doktor Professor
Kollege Kollegin Président Présidente Ministre Maire Presidente Presidenta Ministro Ministra Director Directora
Президент Министр Πρόεδρος Πρόεδρε I The In On At To And But""")
# Between the words of a name.
PARTICLES = _any("von und zu|von der|van der|van den|van de|de la|de los|della|von|vom|zum|zur|van|den|der|de|del|du|"
                 "da|dos|di|el|bin|ibn|al-|O'|y|e")
# Before one's own name, or below a letter.
OWN = _any("""
my name is|name's|i am called|call me|this is|kind regards,?|best regards,?|yours sincerely,?|sincerely,?|regards,?|
mein name ist|ich heiße|ich bin der|ich bin die|mit freundlichen grüßen,?|viele grüße,?|liebe grüße,?|
je m['’]appelle|mon nom est|cordialement,?|me llamo|mi nombre es|saludos,?|atentamente,?|
mi chiamo|il mio nome è|cordiali saluti,?|meu nome é|chamo-me|me chamo|mijn naam is|ik heet|
nazywam się|mam na imię|jag heter|jeg heter|jeg hedder|adım|benim adım|
меня зовут|моё имя|мое имя|мене звати|с уважением,?|με λένε|ονομάζομαι|το όνομά μου είναι|με εκτίμηση,?""")
DOUBTFUL = _any("this is|call me")  # said of other things, too: two words must follow

# Scripts without capitals: before a name.
ARABIC = _any("السيد|السيدة|الدكتور|الدكتورة|د\\.|الأستاذ|الأستاذة|الآنسة|المهندس|اسمي|إسمي|سيد|سيدة")
HINDI = _any("श्री|श्रीमती|डॉ\\.?|डॉक्टर|प्रो\\.?|सुश्री|मेरा नाम|कुमारी")
HEBREW = _any("מר|גב'|גברת|ד\"ר|פרופ'|שמי|קוראים לי")
NO_NAME = _set("है हैं और ने को से का की के में कल आज पर من في على إلى مع عن هو هي قال قالت את של על עם")

# The most usual family names of China and Korea; Japan has too many.
CHINA = ("王李张張刘劉陈陳杨楊黄黃赵趙吴吳周徐孙孫马馬朱胡郭何林高罗羅郑鄭梁谢謝宋唐许許韩韓冯馮邓鄧"
         "曹彭曾萧蕭肖田董袁潘蒋蔣蔡余杜叶葉程苏蘇魏吕呂丁任沈姚卢盧姜崔钟鍾谭譚陆陸汪范金石廖贾賈夏韦韋方白邹鄒"
         "孟熊秦邱江尹薛阎閻段雷侯龙龍史陶黎贺賀顾顧毛郝龚龔邵万萬钱錢严嚴覃武戴莫孔向汤湯")
KOREA = ("김이박최정강조윤장임한오서신권황안송전홍유고문양손배백허남심노하곽성차주우구나민진지엄채원천방공현함변염여"
         "추도소석선설마길연위표명기반왕금옥육인맹제모탁국어은편용")
# Behind a name, and before one's own.
CHINESE = _any("先生|女士|小姐|太太|老师|老師|医生|醫生|教授|经理|經理|律师|律師|同学|同學")
CHINESE_OWN = _any("我叫|我的名字是|名叫|姓名[:：]\\s?|我是")
KOREAN, KOREAN_OWN = _any("씨|님|선생님|교수님|박사님"), _any("제 이름은|저는|내 이름은")
KOREAN_IS = _any("입니다|이에요|예요|이라고|라고")
JAPANESE, JAPANESE_OWN = _any("さん|様|氏(?!名)|くん|ちゃん|先生|殿"), _any("私は|名前は|わたしは")
JAPANESE_IS = _any("です|と申し|といい|と言い")
JAPANESE_NOT = r"お客$|皆$|[各担当者社員客]{2,}$|^[皆客神王]$|^(?:奥|娘|息子|父|母|兄|姉|医者|店員)$"
