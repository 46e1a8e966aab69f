/* Words of no meaning in particular; country, state and currency codes are those of ISO 3166, USPS and ISO 4217. */
#include "connectors/datagen_words.h"

#define S(text) {.data = (text), .len = sizeof(text) - 1, .flags = HW_STR_PLAIN}

static const hw_str word_items[] = {
    S("anchor"), S("apple"), S("arrow"), S("autumn"), S("basin"), S("beacon"), S("birch"), S("blanket"), S("bottle"),
    S("branch"), S("bridge"), S("bright"), S("broad"), S("bucket"), S("button"), S("cabin"), S("candle"), S("canyon"),
    S("carbon"), S("castle"), S("cedar"), S("chalk"), S("cherry"), S("circle"), S("clay"), S("clear"), S("cliff"),
    S("cloud"), S("clover"), S("coast"), S("cobalt"), S("copper"), S("coral"), S("corner"), S("cotton"), S("crane"),
    S("creek"), S("crystal"), S("dawn"), S("deep"), S("delta"), S("desert"), S("dune"), S("dusk"), S("early"),
    S("east"), S("echo"), S("edge"), S("ember"), S("evening"), S("fabric"), S("falcon"), S("feather"), S("fern"),
    S("field"), S("flint"), S("flower"), S("forest"), S("fountain"), S("frost"), S("garden"), S("gentle"), S("glass"),
    S("golden"), S("granite"), S("grass"), S("green"), S("grove"), S("harbor"), S("harvest"), S("hazel"), S("heron"),
    S("hidden"), S("hill"), S("hollow"), S("honey"), S("horizon"), S("island"), S("ivory"), S("jasper"), S("juniper"),
    S("kettle"), S("lagoon"), S("lantern"), S("leaf"), S("lemon"), S("light"), S("linen"), S("lively"), S("maple"),
    S("marble"), S("marsh"), S("meadow"), S("mellow"), S("mineral"), S("mirror"), S("mist"), S("moss"), S("mountain"),
    S("narrow"), S("north"), S("oak"), S("oasis"), S("ocean"), S("olive"), S("orchard"), S("paper"), S("pebble"),
    S("pepper"), S("pine"), S("plain"), S("planet"), S("pond"), S("quarry"), S("quiet"), S("rain"), S("raven"),
    S("river"), S("sable"), S("sand"), S("silver"), S("slate"), S("spring"), S("stone"), S("stream"), S("summer"),
    S("thistle"), S("timber"), S("valley"), S("velvet"), S("violet"), S("walnut"), S("water"), S("willow"),
    S("winter"),
};

static const hw_str first_name_items[] = {
    S("Ada"), S("Adam"), S("Aisha"), S("Alba"), S("Amir"), S("Ana"), S("Andrea"), S("Anna"), S("Ben"), S("Carla"),
    S("Chen"), S("Clara"), S("Daniel"), S("Daria"), S("David"), S("Elena"), S("Elias"), S("Emma"), S("Erik"),
    S("Eva"), S("Fatima"), S("Felix"), S("Finn"), S("Grace"), S("Hana"), S("Hugo"), S("Ida"), S("Ines"), S("Ivan"),
    S("Jan"), S("Jonas"), S("Julia"), S("Kai"), S("Karim"), S("Lara"), S("Laura"), S("Lea"), S("Leo"), S("Lina"),
    S("Lucas"), S("Maria"), S("Marta"), S("Max"), S("Mei"), S("Mila"), S("Mona"), S("Nadia"), S("Nina"), S("Noah"),
    S("Nora"), S("Omar"), S("Oscar"), S("Paul"), S("Petra"), S("Priya"), S("Rafael"), S("Rosa"), S("Ruth"), S("Sam"),
    S("Sara"), S("Sofia"), S("Tariq"), S("Tom"), S("Vera"), S("Yuki"), S("Zoe"),
};

static const hw_str last_name_items[] = {
    S("Abbott"), S("Adler"), S("Almeida"), S("Andersen"), S("Baker"), S("Barnes"), S("Becker"), S("Berg"),
    S("Bianchi"), S("Blanc"), S("Brandt"), S("Carter"), S("Castro"), S("Chen"), S("Clarke"), S("Costa"), S("Dalton"),
    S("Diaz"), S("Dubois"), S("Eriksen"), S("Farrell"), S("Fischer"), S("Foster"), S("Garcia"), S("Gupta"), S("Haas"),
    S("Hansen"), S("Hayes"), S("Horvat"), S("Ito"), S("Jansen"), S("Kaur"), S("Keller"), S("Khan"), S("Kim"),
    S("Klein"), S("Kovacs"), S("Kumar"), S("Lang"), S("Larsen"), S("Lopez"), S("Marino"), S("Martin"), S("Meyer"),
    S("Moreau"), S("Nakamura"), S("Novak"), S("Okafor"), S("Olsen"), S("Ortiz"), S("Park"), S("Peters"), S("Petrov"),
    S("Reyes"), S("Rossi"), S("Santos"), S("Sato"), S("Schmidt"), S("Silva"), S("Singh"), S("Sokolov"), S("Suzuki"),
    S("Tanaka"), S("Vogel"), S("Wagner"), S("Weber"), S("Yilmaz"),
};

static const hw_str title_items[] = {
    S("Mr."), S("Mrs."), S("Ms."), S("Mx."), S("Dr."), S("Prof."),
};

static const hw_str suffix_items[] = {
    S("Jr."), S("Sr."), S("II"), S("III"), S("IV"), S("MD"), S("PhD"),
};

static const hw_str domain_suffix_items[] = {
    S("com"), S("net"), S("org"), S("io"), S("dev"), S("info"), S("eu"), S("de"), S("fr"), S("nl"),
};

static const hw_str company_suffix_items[] = {
    S("Inc."), S("LLC"), S("Ltd."), S("GmbH"), S("AG"), S("Group"), S("Partners"), S("Holdings"), S("Brothers"),
};

static const hw_str buzzword_items[] = {
    S("adaptive"), S("balanced"), S("compact"), S("configurable"), S("distributed"), S("extended"), S("focused"),
    S("integrated"), S("layered"), S("managed"), S("open"), S("optional"), S("organic"), S("portable"),
    S("proactive"), S("reactive"), S("robust"), S("scalable"), S("seamless"), S("sharable"), S("streamlined"),
    S("universal"), S("versatile"), S("virtual"),
};

static const hw_str buzzword_middle_items[] = {
    S("analytic"), S("asynchronous"), S("bidirectional"), S("client-driven"), S("contextual"), S("demand-driven"),
    S("dynamic"), S("empirical"), S("fault-tolerant"), S("full-range"), S("global"), S("heuristic"), S("high-level"),
    S("hybrid"), S("incremental"), S("intangible"), S("local"), S("logistical"), S("modular"), S("multi-state"),
    S("neutral"), S("real-time"), S("secondary"), S("stable"), S("static"), S("systematic"),
};

static const hw_str buzzword_tail_items[] = {
    S("access"), S("adapter"), S("alliance"), S("analyzer"), S("archive"), S("array"), S("benchmark"), S("budget"),
    S("capability"), S("challenge"), S("circuit"), S("concept"), S("database"), S("encoding"), S("focus"),
    S("forecast"), S("framework"), S("function"), S("hub"), S("interface"), S("knowledge"), S("matrix"),
    S("middleware"), S("model"), S("network"), S("policy"), S("portal"), S("process"), S("protocol"),
};

static const hw_str bs_verb_items[] = {
    S("build"), S("compare"), S("deliver"), S("deploy"), S("design"), S("drive"), S("enable"), S("engage"),
    S("expand"), S("extend"), S("facilitate"), S("grow"), S("harness"), S("improve"), S("integrate"), S("launch"),
    S("maximize"), S("monetize"), S("optimize"), S("scale"), S("simplify"), S("streamline"), S("transform"),
    S("unify"),
};

static const hw_str bs_adj_items[] = {
    S("agile"), S("automated"), S("clean"), S("collaborative"), S("connected"), S("cross-platform"), S("customized"),
    S("efficient"), S("end-to-end"), S("flexible"), S("frictionless"), S("holistic"), S("innovative"), S("intuitive"),
    S("modern"), S("next-generation"), S("open-source"), S("real-time"), S("reliable"), S("robust"), S("secure"),
    S("sustainable"), S("transparent"), S("virtual"),
};

static const hw_str bs_noun_items[] = {
    S("applications"), S("architectures"), S("channels"), S("communities"), S("content"), S("experiences"),
    S("infrastructures"), S("initiatives"), S("interfaces"), S("markets"), S("metrics"), S("models"), S("networks"),
    S("paradigms"), S("partnerships"), S("platforms"), S("relationships"), S("schemas"), S("services"),
    S("solutions"), S("supply-chains"), S("systems"), S("users"), S("workflows"),
};

static const hw_str profession_items[] = {
    S("accountant"), S("actor"), S("architect"), S("artist"), S("baker"), S("biologist"), S("builder"),
    S("carpenter"), S("chemist"), S("cook"), S("dentist"), S("designer"), S("doctor"), S("driver"), S("editor"),
    S("electrician"), S("engineer"), S("farmer"), S("firefighter"), S("gardener"), S("journalist"), S("judge"),
    S("lawyer"), S("librarian"), S("mechanic"), S("midwife"), S("musician"), S("nurse"), S("painter"),
    S("pharmacist"), S("photographer"), S("physicist"), S("pilot"), S("plumber"), S("sailor"), S("tailor"),
    S("teacher"), S("translator"), S("waiter"), S("writer"),
};

static const hw_str industry_items[] = {
    S("Agriculture"), S("Automotive"), S("Aviation"), S("Banking"), S("Biotechnology"), S("Chemicals"),
    S("Construction"), S("Consulting"), S("Education"), S("Energy"), S("Fishing"), S("Food"), S("Forestry"),
    S("Furniture"), S("Healthcare"), S("Hospitality"), S("Insurance"), S("Logistics"), S("Machinery"), S("Media"),
    S("Mining"), S("Music"), S("Pharmaceuticals"), S("Publishing"), S("Railways"), S("Real Estate"), S("Retail"),
    S("Shipping"), S("Software"), S("Telecommunications"), S("Textiles"), S("Tourism"), S("Water Supply"),
};

static const hw_str field_items[] = {
    S("Accounting"), S("Administration"), S("Communications"), S("Construction"), S("Design"), S("Education"),
    S("Engineering"), S("Finance"), S("Healthcare"), S("Hospitality"), S("Legal"), S("Logistics"), S("Manufacturing"),
    S("Marketing"), S("Research"), S("Sales"), S("Security"), S("Support"), S("Technology"),
};

static const hw_str position_items[] = {
    S("Administrator"), S("Agent"), S("Analyst"), S("Architect"), S("Assistant"), S("Consultant"), S("Coordinator"),
    S("Designer"), S("Developer"), S("Director"), S("Engineer"), S("Manager"), S("Officer"), S("Planner"),
    S("Producer"), S("Representative"), S("Specialist"), S("Supervisor"), S("Technician"),
};

static const hw_str seniority_items[] = {
    S("Junior"), S("Senior"), S("Lead"), S("Principal"), S("Associate"), S("Chief"), S("Deputy"), S("Regional"),
    S("International"), S("Trainee"),
};

static const hw_str currency_code_items[] = {
    S("AUD"), S("BRL"), S("CAD"), S("CHF"), S("CLP"), S("CNY"), S("COP"), S("CZK"), S("DKK"), S("EGP"), S("EUR"),
    S("GBP"), S("HKD"), S("HUF"), S("IDR"), S("ILS"), S("INR"), S("ISK"), S("JPY"), S("KES"), S("KRW"), S("MAD"),
    S("MXN"), S("MYR"), S("NGN"), S("NOK"), S("NZD"), S("PEN"), S("PHP"), S("PLN"), S("RON"), S("SEK"), S("SGD"),
    S("THB"), S("TRY"), S("TWD"), S("UAH"), S("USD"), S("VND"), S("ZAR"),
};

static const hw_str currency_name_items[] = {
    S("Australian dollar"), S("Brazilian real"), S("Canadian dollar"), S("Swiss franc"), S("Chilean peso"),
    S("Chinese yuan"), S("Colombian peso"), S("Czech koruna"), S("Danish krone"), S("Egyptian pound"), S("Euro"),
    S("Pound sterling"), S("Hong Kong dollar"), S("Hungarian forint"), S("Indonesian rupiah"),
    S("Israeli new shekel"), S("Indian rupee"), S("Icelandic krona"), S("Japanese yen"), S("Kenyan shilling"),
    S("South Korean won"), S("Moroccan dirham"), S("Mexican peso"), S("Malaysian ringgit"), S("Nigerian naira"),
    S("Norwegian krone"), S("New Zealand dollar"), S("Peruvian sol"), S("Philippine peso"), S("Polish zloty"),
    S("Romanian leu"), S("Swedish krona"), S("Singapore dollar"), S("Thai baht"), S("Turkish lira"),
    S("New Taiwan dollar"), S("Ukrainian hryvnia"), S("United States dollar"), S("Vietnamese dong"),
    S("South African rand"),
};

static const hw_str currency_symbol_items[] = {
    S("$"), S("R$"), S("CHF"), S("¥"), S("Kč"), S("kr"), S("£"), S("€"), S("Ft"), S("Rp"), S("₪"), S("₹"), S("KSh"),
    S("₩"), S("DH"), S("RM"), S("₦"), S("S/"), S("₱"), S("zł"), S("lei"), S("฿"), S("₺"), S("NT$"), S("₴"), S("₫"),
    S("R"),
};

static const hw_str city_prefix_items[] = {
    S("North"), S("East"), S("West"), S("South"), S("New"), S("Lake"), S("Port"), S("Upper"), S("Lower"), S("Old"),
};

static const hw_str city_suffix_items[] = {
    S("town"), S("ton"), S("land"), S("ville"), S("berg"), S("burgh"), S("borough"), S("bury"), S("view"), S("port"),
    S("mouth"), S("stad"), S("furt"), S("chester"), S("side"), S("haven"),
};

static const hw_str city_name_items[] = {
    S("Accra"), S("Amsterdam"), S("Athens"), S("Auckland"), S("Bangkok"), S("Barcelona"), S("Berlin"), S("Bogota"),
    S("Boston"), S("Brisbane"), S("Brussels"), S("Budapest"), S("Buenos Aires"), S("Cairo"), S("Cape Town"),
    S("Casablanca"), S("Chicago"), S("Copenhagen"), S("Dakar"), S("Dublin"), S("Edinburgh"), S("Geneva"),
    S("Hamburg"), S("Hanoi"), S("Helsinki"), S("Istanbul"), S("Jakarta"), S("Kyoto"), S("Lagos"), S("Lima"),
    S("Lisbon"), S("London"), S("Lyon"), S("Madrid"), S("Manila"), S("Marseille"), S("Melbourne"), S("Mexico City"),
    S("Milan"), S("Montreal"), S("Mumbai"), S("Munich"), S("Nairobi"), S("Naples"), S("New York"), S("Osaka"),
    S("Oslo"), S("Ottawa"), S("Paris"), S("Prague"), S("Quito"), S("Reykjavik"), S("Riga"), S("Rome"), S("Rotterdam"),
    S("San Francisco"), S("Santiago"), S("Seoul"), S("Singapore"), S("Sofia"), S("Stockholm"), S("Sydney"),
    S("Taipei"), S("Tallinn"), S("Tokyo"), S("Toronto"), S("Tunis"), S("Valencia"), S("Vienna"), S("Warsaw"),
    S("Wellington"), S("Zagreb"), S("Zurich"),
};

static const hw_str country_name_items[] = {
    S("Argentina"), S("Australia"), S("Austria"), S("Bangladesh"), S("Belgium"), S("Brazil"), S("Bulgaria"),
    S("Canada"), S("Chile"), S("China"), S("Colombia"), S("Costa Rica"), S("Croatia"), S("Czechia"), S("Denmark"),
    S("Ecuador"), S("Egypt"), S("Estonia"), S("Ethiopia"), S("Finland"), S("France"), S("Germany"), S("Ghana"),
    S("Greece"), S("Hungary"), S("Iceland"), S("India"), S("Indonesia"), S("Ireland"), S("Israel"), S("Italy"),
    S("Japan"), S("Kenya"), S("Latvia"), S("Lithuania"), S("Luxembourg"), S("Malaysia"), S("Mexico"), S("Morocco"),
    S("Nepal"), S("Netherlands"), S("New Zealand"), S("Nigeria"), S("Norway"), S("Pakistan"), S("Peru"),
    S("Philippines"), S("Poland"), S("Portugal"), S("Romania"), S("Senegal"), S("Serbia"), S("Singapore"),
    S("Slovakia"), S("Slovenia"), S("South Africa"), S("South Korea"), S("Spain"), S("Sweden"), S("Switzerland"),
    S("Tanzania"), S("Thailand"), S("Tunisia"), S("Turkey"), S("Ukraine"), S("United Kingdom"), S("United States"),
    S("Uruguay"), S("Vietnam"), S("Zambia"),
};

static const hw_str country_code_items[] = {
    S("AR"), S("AU"), S("AT"), S("BD"), S("BE"), S("BR"), S("BG"), S("CA"), S("CL"), S("CN"), S("CO"), S("CR"),
    S("HR"), S("CZ"), S("DK"), S("EC"), S("EG"), S("EE"), S("ET"), S("FI"), S("FR"), S("DE"), S("GH"), S("GR"),
    S("HU"), S("IS"), S("IN"), S("ID"), S("IE"), S("IL"), S("IT"), S("JP"), S("KE"), S("LV"), S("LT"), S("LU"),
    S("MY"), S("MX"), S("MA"), S("NP"), S("NL"), S("NZ"), S("NG"), S("NO"), S("PK"), S("PE"), S("PH"), S("PL"),
    S("PT"), S("RO"), S("SN"), S("RS"), S("SG"), S("SK"), S("SI"), S("ZA"), S("KR"), S("ES"), S("SE"), S("CH"),
    S("TZ"), S("TH"), S("TN"), S("TR"), S("UA"), S("GB"), S("US"), S("UY"), S("VN"), S("ZM"),
};

static const hw_str street_suffix_items[] = {
    S("Alley"), S("Avenue"), S("Boulevard"), S("Court"), S("Crescent"), S("Drive"), S("Gardens"), S("Lane"),
    S("Parkway"), S("Place"), S("Road"), S("Row"), S("Square"), S("Street"), S("Terrace"), S("Way"),
};

static const hw_str time_zone_items[] = {
    S("Africa/Cairo"), S("Africa/Johannesburg"), S("Africa/Lagos"), S("Africa/Nairobi"), S("America/Bogota"),
    S("America/Chicago"), S("America/Denver"), S("America/Lima"), S("America/Los_Angeles"), S("America/Mexico_City"),
    S("America/New_York"), S("America/Sao_Paulo"), S("America/Toronto"), S("Asia/Bangkok"), S("Asia/Dhaka"),
    S("Asia/Dubai"), S("Asia/Jakarta"), S("Asia/Kolkata"), S("Asia/Manila"), S("Asia/Seoul"), S("Asia/Shanghai"),
    S("Asia/Singapore"), S("Asia/Tokyo"), S("Atlantic/Reykjavik"), S("Australia/Melbourne"), S("Australia/Sydney"),
    S("Europe/Amsterdam"), S("Europe/Athens"), S("Europe/Berlin"), S("Europe/Dublin"), S("Europe/Helsinki"),
    S("Europe/Istanbul"), S("Europe/Lisbon"), S("Europe/London"), S("Europe/Madrid"), S("Europe/Paris"),
    S("Europe/Prague"), S("Europe/Rome"), S("Europe/Stockholm"), S("Europe/Warsaw"), S("Pacific/Auckland"),
    S("Pacific/Honolulu"),
};

static const hw_str state_name_items[] = {
    S("Alabama"), S("Alaska"), S("Arizona"), S("Arkansas"), S("California"), S("Colorado"), S("Connecticut"),
    S("Delaware"), S("Florida"), S("Georgia"), S("Hawaii"), S("Idaho"), S("Illinois"), S("Indiana"), S("Iowa"),
    S("Kansas"), S("Kentucky"), S("Louisiana"), S("Maine"), S("Maryland"), S("Massachusetts"), S("Michigan"),
    S("Minnesota"), S("Mississippi"), S("Missouri"), S("Montana"), S("Nebraska"), S("Nevada"), S("New Hampshire"),
    S("New Jersey"), S("New Mexico"), S("New York"), S("North Carolina"), S("North Dakota"), S("Ohio"), S("Oklahoma"),
    S("Oregon"), S("Pennsylvania"), S("Rhode Island"), S("South Carolina"), S("South Dakota"), S("Tennessee"),
    S("Texas"), S("Utah"), S("Vermont"), S("Virginia"), S("Washington"), S("West Virginia"), S("Wisconsin"),
    S("Wyoming"),
};

static const hw_str state_abbr_items[] = {
    S("AL"), S("AK"), S("AZ"), S("AR"), S("CA"), S("CO"), S("CT"), S("DE"), S("FL"), S("GA"), S("HI"), S("ID"),
    S("IL"), S("IN"), S("IA"), S("KS"), S("KY"), S("LA"), S("ME"), S("MD"), S("MA"), S("MI"), S("MN"), S("MS"),
    S("MO"), S("MT"), S("NE"), S("NV"), S("NH"), S("NJ"), S("NM"), S("NY"), S("NC"), S("ND"), S("OH"), S("OK"),
    S("OR"), S("PA"), S("RI"), S("SC"), S("SD"), S("TN"), S("TX"), S("UT"), S("VT"), S("VA"), S("WA"), S("WV"),
    S("WI"), S("WY"),
};

static const hw_str secondary_address_type_items[] = {
    S("Apt."), S("Suite"), S("Unit"), S("Floor"), S("Room"),
};

static const hw_str file_extension_items[] = {
    S("bmp"), S("conf"), S("csv"), S("doc"), S("flac"), S("gif"), S("gz"), S("html"), S("ini"), S("jpeg"), S("jpg"),
    S("json"), S("log"), S("md"), S("mp3"), S("mp4"), S("odt"), S("ogg"), S("pdf"), S("png"), S("rtf"), S("svg"),
    S("tar"), S("tiff"), S("txt"), S("wav"), S("webp"), S("xml"), S("yaml"), S("zip"),
};

static const hw_str rfc_status_code_items[] = {
    S("100"), S("101"), S("200"), S("201"), S("202"), S("203"), S("204"), S("205"), S("206"), S("300"), S("301"),
    S("302"), S("303"), S("304"), S("307"), S("308"), S("400"), S("401"), S("402"), S("403"), S("404"), S("405"),
    S("406"), S("407"), S("408"), S("409"), S("410"), S("411"), S("412"), S("413"), S("414"), S("415"), S("416"),
    S("417"), S("426"), S("500"), S("501"), S("502"), S("503"), S("504"), S("505"),
};

static const hw_str valid_status_code_items[] = {
    S("100"), S("200"), S("201"), S("202"), S("204"), S("206"), S("301"), S("302"), S("304"), S("307"), S("308"),
    S("400"), S("401"), S("403"), S("404"), S("405"), S("408"), S("409"), S("410"), S("418"), S("422"), S("425"),
    S("426"), S("429"), S("431"), S("451"), S("500"), S("501"), S("502"), S("503"), S("504"), S("507"), S("511"),
};

static const hw_str os_items[] = {
    S("X11; Linux x86_64"), S("X11; Linux aarch64"), S("Windows NT 10.0; Win64; x64"),
    S("Macintosh; Intel Mac OS X 13_4"), S("Android 13; Mobile"),
};

#define LIST(letter, name, items) {letter, name, items, sizeof(items) / sizeof *(items)}

const datagen_list datagen_lists[] = {
    LIST('w', "word", word_items),
    LIST('f', "first_name", first_name_items),
    LIST('l', "last_name", last_name_items),
    LIST('t', "title", title_items),
    LIST(0, "suffix", suffix_items),
    LIST('d', "domain_suffix", domain_suffix_items),
    LIST('x', "company_suffix", company_suffix_items),
    LIST('b', "buzzword", buzzword_items),
    LIST('m', "buzzword_middle", buzzword_middle_items),
    LIST('n', "buzzword_tail", buzzword_tail_items),
    LIST('1', "bs_verb", bs_verb_items),
    LIST('2', "bs_adj", bs_adj_items),
    LIST('3', "bs_noun", bs_noun_items),
    LIST(0, "profession", profession_items),
    LIST(0, "industry", industry_items),
    LIST('5', "field", field_items),
    LIST('6', "position", position_items),
    LIST('7', "seniority", seniority_items),
    LIST(0, "currency_code", currency_code_items),
    LIST(0, "currency_name", currency_name_items),
    LIST(0, "currency_symbol", currency_symbol_items),
    LIST(0, "city_prefix", city_prefix_items),
    LIST(0, "city_suffix", city_suffix_items),
    LIST('c', "city_name", city_name_items),
    LIST(0, "country_name", country_name_items),
    LIST(0, "country_code", country_code_items),
    LIST('s', "street_suffix", street_suffix_items),
    LIST(0, "time_zone", time_zone_items),
    LIST(0, "state_name", state_name_items),
    LIST(0, "state_abbr", state_abbr_items),
    LIST('a', "secondary_address_type", secondary_address_type_items),
    LIST('e', "file_extension", file_extension_items),
    LIST(0, "rfc_status_code", rfc_status_code_items),
    LIST(0, "valid_status_code", valid_status_code_items),
    LIST('o', NULL, os_items),
    {0, NULL, NULL, 0},
};
