import { useParams } from "react-router";
import { OrderDetail } from "./order/OrderDetail";

export default function OrderPage() {
  const { orderNumber = "" } = useParams();
  // The key remounts the page for another order, so that no dialog or form stays open.
  return <OrderDetail key={orderNumber} orderNumber={orderNumber} />;
}
