"""Small collections of words, facts and signs for the lessons."""

from __future__ import annotations

LISTS: dict[str, tuple[str, ...]] = {
    "days": tuple("Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()),
    "months": tuple(
        "January February March April May June July August September October November"
        " December".split()
    ),
    "seasons": ("spring", "summer", "autumn", "winter"),
    "letters": tuple("abcdefghijklmnopqrstuvwxyz"),
    "capitals": tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    "greek": tuple(
        "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho"
        " sigma tau upsilon phi chi psi omega".split()
    ),
    "rainbow": ("red", "orange", "yellow", "green", "blue", "indigo", "violet"),
    "planets": tuple("Mercury Venus Earth Mars Jupiter Saturn Uranus Neptune".split()),
    "ordinals": tuple(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()
    ),
    "notes": ("do", "re", "mi", "fa", "sol", "la", "ti"),
    "星期": tuple(f"星期{day}" for day in "一二三四五六日"),
    "月份": tuple(f"{month}月" for month in "一 二 三 四 五 六 七 八 九 十 十一 十二".split()),
    "四季": tuple("春夏秋冬"),
    "天干": tuple("甲乙丙丁戊己庚辛壬癸"),
    "地支": tuple("子丑寅卯辰巳午未申酉戌亥"),
    "生肖": tuple("鼠牛虎兔龙蛇马羊猴鸡狗猪"),
    "五行": tuple("金木水火土"),
    "方向": tuple("东南西北"),
    "颜色": tuple("红橙黄绿青蓝紫"),
}

GLOSSARY: tuple[tuple[str, str], ...] = tuple(
    (pair.split("=")[0], pair.split("=")[1])
    for pair in (
        "water=水 fire=火 mountain=山 river=河 sea=海 sun=太阳 moon=月亮 star=星星 sky=天空"
        " earth=地球 wind=风 rain=雨 snow=雪 tree=树 flower=花 grass=草 bird=鸟 fish=鱼 dog=狗"
        " cat=猫 horse=马 cow=牛 sheep=羊 house=房子 door=门 window=窗户 table=桌子 chair=椅子"
        " book=书 pen=笔 paper=纸 word=词 name=名字 man=男人 woman=女人 child=孩子 friend=朋友"
        " father=父亲 mother=母亲 brother=兄弟 sister=姐妹 king=国王 city=城市 road=路 bread=面包"
        " rice=米饭 tea=茶 milk=牛奶 salt=盐 sugar=糖 apple=苹果 hand=手 eye=眼睛 heart=心 head=头"
        " day=白天 night=夜晚 morning=早上 year=年 time=时间 red=红色 green=绿色 blue=蓝色"
        " white=白色 black=黑色 yellow=黄色 big=大 small=小 long=长 short=短 new=新 old=旧 good=好"
        " bad=坏 hot=热 cold=冷 one=一 two=二 three=三 ten=十 hello=你好 thanks=谢谢 goodbye=再见"
        " please=请 yes=是 no=不 computer=电脑 file=文件 system=系统 network=网络 program=程序"
        " user=用户 server=服务器 test=测试 school=学校 teacher=老师 student=学生 music=音乐"
        " gold=金 silver=银 stone=石头 boat=船 train=火车 picture=图片 story=故事 question=问题"
        " answer=答案"
    ).split()
)

COUNTRIES: tuple[tuple[str, str, str, str], ...] = (
    ("France", "Paris", "法国", "巴黎"),
    ("China", "Beijing", "中国", "北京"),
    ("Japan", "Tokyo", "日本", "东京"),
    ("Germany", "Berlin", "德国", "柏林"),
    ("Italy", "Rome", "意大利", "罗马"),
    ("Spain", "Madrid", "西班牙", "马德里"),
    ("England", "London", "英国", "伦敦"),
    ("Russia", "Moscow", "俄罗斯", "莫斯科"),
    ("Egypt", "Cairo", "埃及", "开罗"),
    ("Greece", "Athens", "希腊", "雅典"),
    ("India", "New Delhi", "印度", "新德里"),
    ("Canada", "Ottawa", "加拿大", "渥太华"),
    ("Norway", "Oslo", "挪威", "奥斯陆"),
    ("Portugal", "Lisbon", "葡萄牙", "里斯本"),
    ("Thailand", "Bangkok", "泰国", "曼谷"),
    ("Cuba", "Havana", "古巴", "哈瓦那"),
)

OPPOSITES: tuple[tuple[str, str], ...] = tuple(
    (pair.split("/")[0], pair.split("/")[1])
    for pair in (
        "hot/cold big/small day/night up/down left/right open/closed old/new black/white"
        " good/bad fast/slow high/low long/short full/empty light/dark early/late rich/poor"
        " true/false wet/dry hard/soft near/far 大/小 上/下 左/右 前/后 高/低 长/短 新/旧 黑/白"
        " 冷/热 快/慢 开/关 早/晚 远/近 多/少 左/右 真/假 天/地 来/去 进/出 男/女"
    ).split()
)

SOUNDS: tuple[tuple[str, str], ...] = (
    ("dog", "barks"),
    ("cat", "meows"),
    ("cow", "moos"),
    ("sheep", "bleats"),
    ("lion", "roars"),
    ("duck", "quacks"),
    ("horse", "neighs"),
    ("bee", "buzzes"),
    ("wolf", "howls"),
    ("bird", "sings"),
)

NAMES = tuple(
    "Alice Bob Carol David Emma Frank Grace Henry Iris Jack Kate Liam Mary Noah Olivia Peter Ruth"
    " Sam Tom Wendy 小明 小红 小王 老李 王芳 李雷".split()
)

NOUNS = tuple(
    "apple ball book bridge candle cat chair city cloud coat dog door dragon farm field fish fox"
    " garden glass hill horse house island key king lamp lake leaf letter line lion map moon"
    " mountain mouse ocean path pencil piano queen rain ring river road rose sail sea ship shoe"
    " snow song star stone story sun table test tiger town train tree village wall water wind"
    " window wolf wood".split()
)

ADJECTIVES = tuple(
    "red green blue white black golden silver old young small large quiet loud bright dark warm"
    " cold soft hard round long short happy brave clever gentle quick slow tall strange".split()
)

VERBS = tuple(
    "sees likes finds takes brings keeps paints carries watches follows wants loves opens holds"
    " hears remembers buys sells counts draws".split()
)

NOUNS_ZH = tuple(
    "苹果 书 桥 猫 狗 椅子 城市 云 门 花园 山 河 湖 海 月亮 太阳 星星 树 花 草 鸟 鱼 马 房子 窗户"
    " 桌子 灯 信 船 雪 雨 风 石头 茶 米饭 老师 学生 朋友 孩子 故事 歌 画 纸 笔".split()
)

ADJECTIVES_ZH = tuple("红 白 黑 大 小 新 旧 长 短 高 美丽的 安静的 明亮的 温暖的 古老的".split())

VERBS_ZH = tuple("看见 喜欢 找到 带来 画 记得 听见 打开 想要 买 卖 数".split())

EMOJI = tuple(
    "😀😂😊😍😎😢😡😴🙂🤔👍👏🙏💪🎉🎁🎂🎈🌟⭐🌙🌈🔥💧🌊🌸🌹🌻🌳🍀🍎🍊🍋🍌🍉🍇🍓🍕🍔🍰🍵"
    "🐶🐱🐭🐰🦊🐻🐼🐯🦁🐮🐷🐸🐵🐔🐧🐦🦋🐝🐟🐬🐳🚗🚕🚌🚂🚀🚢🏠🏫📚📝💡🔔🎵🎸⚽🏀🎯🧩"
)

DIGITS_ZH = "零一二三四五六七八九"

ONES = tuple(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    " sixteen seventeen eighteen nineteen".split()
)
TENS = tuple("twenty thirty forty fifty sixty seventy eighty ninety".split())
