import { useParams } from "react-router";
import { useTitle } from "@/hooks/useTitle";
import { useLanguage } from "@/i18n/context";

export default function OrderPage() {
  const { t } = useLanguage();
  const { orderNumber = "" } = useParams();
  const title = t("orderPage.title", { number: orderNumber });
  useTitle(title);
  return <h1 className="text-[22px] font-semibold tracking-tight">{title}</h1>;
}
