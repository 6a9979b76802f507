import type { Language } from "./catalogue";
import type { Failure } from "@/types";

/** Czech translations of the services' English messages, by code. A test compares the codes with the services. */
const CZECH: Readonly<Record<string, string>> = {
  answer_truncated: "Odpověď poskytovatele nedorazila celá. Zkuste to znovu; možná už byla zaplacena.",
  attempts_exhausted: "Nepovedlo se to ani po opakovaných pokusech. Zkuste to znovu později.",
  book_too_complex:
    "Sestavení knihy potřebuje víc paměti nebo času, než je dovoleno. Rozdělte objednávku, nebo vygenerujte méně podrobné omalovánky.",
  book_too_large: "Kniha by byla příliš velká. Nastavte u výtisků jen poznámku o počtu.",
  broker_unavailable: "Fronta úloh neodpovídala. Zkuste to znovu.",
  cancelled: "Zrušeno.",
  connection_lost: "Spojení s poskytovatelem se přerušilo. Zkuste to znovu.",
  detector_failed: "Rozpoznání obličejů selhalo. Zkuste to znovu.",
  detector_unavailable: "Model pro rozpoznání obličejů chybí. Zkontrolujte instalaci.",
  file_missing: "Soubor v úložišti chybí. Vygenerujte ho znovu.",
  files_left: "Některé soubory se nepodařilo smazat. Zkouší se to znovu.",
  internal_error: "Služba narazila na chybu. Zkuste to znovu; když se to opakuje, podívejte se do logu.",
  malformed_job: "Úloha přišla poškozená. Zadejte ji znovu.",
  not_printable: "Některá omalovánka je poškozená a nejde vytisknout. Vygenerujte ji znovu.",
  option_unsupported: "Poskytovatel omalovánek některou z voleb nezná. Vygenerujte omalovánku bez ní.",
  out_of_memory: "Službě došla paměť. Zkuste menší rozlišení.",
  page_missing: "Soubor omalovánky chybí. Vygenerujte ji znovu.",
  page_too_complex: "Omalovánka je na převod příliš složitá. Zkuste méně kroků.",
  page_too_large: "Omalovánka je na převod příliš velká. Zkuste menší rozlišení.",
  page_unreadable: "Soubor omalovánky nejde přečíst. Vygenerujte ji znovu.",
  page_untraceable: "Omalovánku se nepodařilo převést na SVG. Zkuste jinou verzi.",
  photo_access_refused: "Server s fotkou odmítl přístup. Požádejte zákazníka o novou.",
  photo_address_refused: "Adresa fotky nevede na veřejný server, proto se nestáhla.",
  photo_answer_unexpected: "Server s fotkou odpověděl nečekaně.",
  photo_certificate_invalid: "Server s fotkou má neplatný certifikát.",
  photo_damaged: "Fotka je poškozená. Nahrajte ji znovu.",
  photo_download_failed: "Fotku se nepodařilo stáhnout. Zkusí se to znovu.",
  photo_download_interrupted: "Stahování fotky se přerušilo. Zkusí se to znovu.",
  photo_download_timeout: "Server s fotkou neodpověděl včas. Zkusí se to znovu.",
  photo_empty: "Soubor je prázdný. Nahrajte fotku znovu.",
  photo_encoding_invalid:
    "Server posílá fotku zabalenou způsobem, který nejde rozbalit. Požádejte zákazníka o soubor.",
  photo_gone: "Fotka už na serveru není. Požádejte zákazníka o novou.",
  photo_host_busy: "Server s fotkou právě posílá jiné fotky. Tahle přijde na řadu.",
  photo_host_unknown: "Server s fotkou neexistuje nebo není dostupný.",
  photo_missing: "Soubor fotky chybí. Nahrajte ji znovu.",
  photo_not_an_image: "Soubor není obrázek. Nahrajte JPEG, PNG nebo HEIC.",
  photo_redirects_too_often: "Adresa fotky přesměrovává pořád dál, proto se nestáhla.",
  photo_replaced: "Fotku mezitím nahradila jiná.",
  photo_server_busy: "Server s fotkou je zahlcený. Zkusí se to znovu.",
  photo_share_page:
    "Odkaz vede na stránku sdílení (Disk Google, Fotky Google, Dropbox, iCloud…), ne na fotku. Požádejte zákazníka o soubor, nebo aby ho zpřístupnil každému, kdo má odkaz.",
  photo_side_too_long: "Fotka má příliš dlouhou stranu. Zmenšete ji.",
  photo_too_complex: "Fotka je na zpracování příliš náročná. Uložte ji jako běžné JPEG.",
  photo_too_large: "Soubor fotky je příliš velký. Zmenšete ji.",
  photo_too_many_pixels: "Fotka má příliš mnoho bodů. Zmenšete ji.",
  photo_too_small: "Fotka je příliš malá. Nahrajte větší.",
  photo_truncated: "Fotka není celá. Nahrajte ji znovu.",
  photo_unavailable: "Fotku teď nejde přečíst. Zkuste to znovu.",
  photo_unreadable: "Fotku nejde přečíst. Nahrajte ji znovu, nejlépe jako JPEG.",
  photo_unsuitable: "Z téhle fotky omalovánka udělat nejde. Zkuste jinou.",
  photo_unsupported_format: "Tenhle formát neumíme. Nahrajte JPEG, PNG nebo HEIC.",
  photo_url_refused: "Adresa fotky není platná.",
  photo_without_shapes: "Na fotce není co vybarvit: je jednobarevná nebo celá rozmazaná. Zkuste jinou.",
  provider_answer_truncated: "Odpověď poskytovatele nedorazila celá. Zkuste to znovu.",
  provider_busy: "Poskytovatel je zahlcený. Zkuste to znovu později.",
  provider_cancelled: "Poskytovatel úlohu zrušil. Zkuste to znovu.",
  provider_closed: "Služba se právě vypínala. Zkuste to znovu.",
  provider_endpoint_unknown: "Poskytovatel tenhle endpoint nezná. Zkontrolujte nastavení.",
  provider_failed: "Poskytovateli se úloha nepovedla. Zkuste to znovu nebo s jiným nastavením.",
  provider_job_gone: "Poskytovatel o úloze už neví. Zkuste to znovu.",
  provider_out_of_credit: "U poskytovatele došel kredit. Dobijte ho a zkuste to znovu.",
  provider_output_invalid: "Poskytovatel vrátil něco, co není obrázek. Zkuste to znovu.",
  provider_paused: "Poskytovatel opakovaně selhává, chvíli se mu nic neposílá. Úloha čeká.",
  provider_rate_limited: "Poskytovatel nestíhá. Zkusí se to znovu.",
  provider_refused: "Poskytovatel úlohu odmítl.",
  provider_timed_out: "Poskytovatel úlohu nedokončil včas. Zkuste to znovu.",
  provider_unauthorized: "Poskytovatel nepřijal klíč. Zkontrolujte nastavení.",
  provider_unavailable: "Poskytovatel má výpadek. Zkuste to znovu později.",
  provider_unreachable: "Poskytovatel není dostupný. Zkuste to znovu později.",
  queue_timeout:
    "Úloha se u poskytovatele opakovaně nedostala z fronty a nic nestála. Zkuste to znovu později.",
  storage_unavailable: "Soubor se nepodařilo uložit. Zkontrolujte místo na disku.",
  submit_unknown: "Poskytovatel úlohu možná přijal a naúčtoval, ale odpověď nedorazila. Zkuste to znovu.",
  timeout: "Nestihlo se to včas. Zkuste to znovu.",
  unknown: "Služba neřekla proč. Zkuste to znovu.",
  unsafe_path: "Cesta k souboru je neplatná.",
  worker_died: "Služba při práci na téhle fotce opakovaně spadla. Zkuste jinou fotku nebo nastavení.",
};

/** A sentence in the reader's language, and the service's own message if it adds details. */
export function failureText(
  failure: Failure,
  language: Language,
): { sentence: string; detail: string | null } {
  const sentence = language === "cs" ? CZECH[failure.code] : undefined;
  return sentence === undefined
    ? { sentence: failure.message, detail: null }
    : { sentence, detail: failure.code === "cancelled" ? null : failure.message };
}
