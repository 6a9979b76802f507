import type { Language } from "./catalogue";
import type { Failure } from "@/types";
import { typeset } from "./typography";

/** Czech translations of the services' English messages, by code. A test compares the codes with the services. */
export const CZECH: Readonly<Record<string, string>> = {
  answer_truncated: "Odpověď poskytovatele nedorazila celá. Zkuste to znovu; úloha již mohla být zaplacena.",
  attempts_exhausted: "Úloha se nezdařila ani po opakovaných pokusech. Zkuste to znovu později.",
  book_too_complex:
    "Sestavení knihy vyžaduje více paměti nebo času, než je dovoleno. Rozdělte objednávku, nebo vygenerujte méně podrobné omalovánky.",
  book_too_large: "Kniha by byla příliš velká. U výtisků nastavte jen poznámku s počtem.",
  broker_unavailable: "Fronta úloh neodpovídala. Zkuste to znovu.",
  cancelled: "Zrušeno.",
  connection_lost: "Spojení s poskytovatelem se přerušilo. Zkuste to znovu.",
  dedication_too_long: "Věnování je na obálku příliš dlouhé. Zkraťte ho a sestavte knihu znovu.",
  detector_failed: "Rozpoznání obličejů selhalo. Zkuste to znovu.",
  detector_unavailable: "Model pro rozpoznání obličejů chybí. Zkontrolujte instalaci.",
  edited_photo_missing: "Soubor upravené fotky chybí. Uložte její úpravu znovu.",
  file_damaged: "Soubor některé omalovánky je poškozený. Vygenerujte ji znovu.",
  file_missing: "Soubor v úložišti chybí. Vygenerujte ho znovu.",
  files_left: "Některé soubory se nepodařilo smazat. Zkouší se to znovu.",
  internal_error: "Služba narazila na chybu. Zkuste to znovu; pokud se chyba opakuje, zkontrolujte log.",
  item_removed: "Obchod mezitím odebral některou položku. Sestavte knihu znovu.",
  malformed_job: "Úloha přišla poškozená. Zadejte ji znovu.",
  no_chosen_page: "U některé fotky není vybraná omalovánka. Vyberte dokončenou.",
  no_pages: "Není co tisknout. Vyberte nějakou dokončenou omalovánku.",
  not_printable: "Některá omalovánka je poškozená a nelze ji vytisknout. Vygenerujte ji znovu.",
  option_unsupported: "Poskytovatel omalovánek některou z voleb nepodporuje. Vygenerujte omalovánku bez ní.",
  order_cancelled: "Objednávku obchod zrušil, nic se pro ni netiskne.",
  out_of_memory: "Službě došla paměť. Zkuste menší rozlišení.",
  page_in_error: "Některá omalovánka se nepodařila. Zkuste ji znovu.",
  page_in_progress: "Některá omalovánka se ještě generuje. Počkejte na ni.",
  page_missing: "Soubor omalovánky chybí. Vygenerujte ji znovu.",
  page_too_complex: "Omalovánka je na převod příliš složitá. Zkuste méně kroků.",
  page_too_large: "Omalovánka je na převod příliš velká. Zkuste menší rozlišení.",
  page_unreadable: "Soubor omalovánky nelze přečíst. Vygenerujte ji znovu.",
  page_untraceable: "Omalovánku se nepodařilo převést na SVG. Zkuste jinou verzi.",
  photo_access_refused: "Server s fotkou odmítl přístup. Požádejte zákazníka o novou.",
  photo_address_refused: "Adresa fotky nevede na veřejný server, proto fotka nebyla stažena.",
  photo_answer_unexpected: "Server s fotkou vrátil neočekávanou odpověď.",
  photo_certificate_invalid: "Server s fotkou má neplatný certifikát.",
  photo_damaged: "Fotka je poškozená. Nahrajte ji znovu.",
  photo_download_failed: "Fotku se nepodařilo stáhnout. Zkusí se to znovu.",
  photo_download_interrupted: "Stahování fotky se přerušilo. Zkusí se to znovu.",
  photo_download_timeout: "Server s fotkou neodpověděl včas. Zkusí se to znovu.",
  photo_empty: "Soubor je prázdný. Nahrajte fotku znovu.",
  photo_encoding_invalid:
    "Server posílá fotku zabalenou způsobem, který nelze rozbalit. Požádejte zákazníka o soubor.",
  photo_gone: "Fotka na serveru již není. Požádejte zákazníka o novou.",
  photo_host_busy: "Ze serveru s fotkou se právě stahují jiné fotky. Tato bude následovat.",
  photo_host_unknown: "Server s fotkou neexistuje nebo není dostupný.",
  photo_missing: "Soubor fotky chybí. Nahrajte ji znovu.",
  photo_not_an_image: "Soubor není obrázek. Nahrajte JPEG, PNG nebo HEIC.",
  photo_redirects_too_often: "Adresa fotky vede přes příliš mnoho přesměrování, proto fotka nebyla stažena.",
  photo_replaced: "Fotku mezitím nahradila jiná.",
  photo_server_busy: "Server s fotkou je zahlcený. Zkusí se to znovu.",
  photo_share_page:
    "Odkaz vede na stránku sdílení (například Disk Google, Fotky Google, Dropbox nebo iCloud), ne na fotku. Požádejte zákazníka o soubor, nebo aby ho zpřístupnil každému, kdo má odkaz.",
  photo_side_too_long: "Fotka má příliš dlouhou stranu. Zmenšete ji.",
  photo_too_complex: "Fotka je na zpracování příliš náročná. Uložte ji jako běžné JPEG.",
  photo_too_large: "Soubor fotky je příliš velký. Zmenšete ji.",
  photo_too_many_pixels: "Fotka má příliš mnoho pixelů. Zmenšete ji.",
  photo_too_small: "Fotka je příliš malá. Nahrajte větší.",
  photo_truncated: "Fotka není úplná. Nahrajte ji znovu.",
  photo_unavailable: "Fotku nyní nelze přečíst. Zkuste to znovu.",
  photo_unreadable: "Fotku nelze přečíst. Nahrajte ji znovu, nejlépe jako JPEG.",
  photo_unsuitable: "Z této fotky nelze omalovánku vytvořit. Zkuste jinou.",
  photo_unsupported_format: "Tento formát není podporován. Nahrajte JPEG, PNG nebo HEIC.",
  photo_url_refused: "Adresa fotky není platná.",
  photo_without_shapes: "Na fotce není co vybarvit: je jednobarevná, nebo celá rozmazaná. Zkuste jinou.",
  provider_answer_truncated: "Odpověď poskytovatele nedorazila celá. Zkuste to znovu.",
  provider_busy: "Poskytovatel je zahlcený. Zkuste to znovu později.",
  provider_cancelled: "Poskytovatel úlohu zrušil. Zkuste to znovu.",
  provider_closed: "Služba se právě vypínala. Zkuste to znovu.",
  provider_endpoint_unknown: "Poskytovatel tento endpoint nezná. Zkontrolujte nastavení.",
  provider_failed: "Úloha u poskytovatele selhala. Zkuste to znovu nebo s jiným nastavením.",
  provider_job_gone: "Poskytovatel tuto úlohu již nezná. Zkuste to znovu.",
  provider_out_of_credit: "U poskytovatele došel kredit. Dobijte ho a zkuste to znovu.",
  provider_output_invalid: "Poskytovatel nevrátil obrázek. Zkuste to znovu.",
  provider_paused: "Poskytovatel opakovaně selhává, úlohy se mu dočasně neposílají. Úloha čeká.",
  provider_rate_limited: "Poskytovatel omezuje počet požadavků. Zkusí se to znovu.",
  provider_refused: "Poskytovatel úlohu odmítl.",
  provider_timed_out: "Poskytovatel úlohu nedokončil včas. Zkuste to znovu.",
  provider_unauthorized: "Poskytovatel nepřijal klíč. Zkontrolujte nastavení.",
  provider_unavailable: "Poskytovatel má výpadek. Zkuste to znovu později.",
  provider_unreachable: "Poskytovatel není dostupný. Zkuste to znovu později.",
  queue_timeout:
    "Úloha se u poskytovatele opakovaně nedostala z fronty a nic nestála. Zkuste to znovu později.",
  storage_unavailable: "Soubor se nepodařilo uložit. Zkontrolujte místo na disku.",
  submit_unknown: "Poskytovatel úlohu možná přijal a naúčtoval, ale odpověď nedorazila. Zkuste to znovu.",
  timeout: "Úloha nebyla dokončena včas. Zkuste to znovu.",
  unknown: "Příčina není známa. Zkuste to znovu.",
  unsafe_path: "Cesta k souboru je neplatná.",
  worker_died: "Služba při práci na této fotce opakovaně skončila. Zkuste jinou fotku nebo nastavení.",
};

/**
 * A sentence in the reader's language, and the service's own English message if the sentence replaces it and it
 * may add details.
 */
export function failureText(
  failure: Failure,
  language: Language,
): { sentence: string; detail: string | null } {
  const sentence = language === "cs" ? CZECH[failure.code] : undefined;
  return sentence === undefined
    ? { sentence: failure.message, detail: null }
    : { sentence: typeset(sentence, "cs"), detail: failure.code === "cancelled" ? null : failure.message };
}
