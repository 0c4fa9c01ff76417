"""The report's words, English and Japanese side by side, and its style."""

from __future__ import annotations

import html

WORDS = {
    "title": ("Audit report", "監査報告"),
    "lead": (
        "Made from the ledger and checked with it: verify.py makes this page again, byte for byte.",
        "台帳から作成。verify.py が本ページを一字一句再作成して照合します。",
    ),
    "summary": ("Summary", "概要"),
    "approval": ("Who proposed and who approved", "起案と承認"),
    "account": ("Account of the periods", "会計期間の勘定"),
    "claims": ("Claims, back to the input they rest on", "主張と、その根拠となる投入"),
    "lots": ("Lots, forward to orders and customers", "ロットから注文・顧客へ"),
    "evidence": ("Evidence by clause", "条項別の証拠"),
    "changes": ("Corrections, cancellations, other events", "訂正・取消・その他の記録"),
    "residual": ("Residual of conventional products", "従来製品の残余"),
    "verify": ("How to verify", "検証方法"),
    "ledger": ("Ledger", "台帳"),
    "periods": ("Periods", "会計期間"),
    "period": ("Period", "会計期間"),
    "head": ("Last row", "最終行"),
    "hash": ("Hash", "ハッシュ"),
    "issuer": ("Maker", "作成者"),
    "rules": ("Rule model", "規則モデル"),
    "claimed": ("Claimed", "主張質量"),
    "claim_count": ("Claims", "主張数"),
    "lot_count": ("Lots that moved", "動いたロット"),
    "certificate_count": ("Certificates and statements", "証明書・計算書"),
    "missing_count": ("Evidence missing", "欠けている証拠"),
    "reduced": ("Allocated reductions", "割当削減量"),
    "row": ("Row", "行"),
    "kind": ("Kind", "種別"),
    "at": ("Recorded (UTC)", "記録時刻 (UTC)"),
    "name": ("Name", "名称"),
    "proposer": ("Proposed by", "起案者"),
    "approver": ("Approved by", "承認者"),
    "note": ("Note", "備考"),
    "status": ("Status", "状態"),
    "commodity": ("Lot or effect", "ロット・効果"),
    "unit": ("Unit", "単位"),
    "opening": ("Opening", "期首"),
    "received": ("Received", "受入"),
    "allocated": ("Allocated", "割当"),
    "blocked": ("Blocked", "停止"),
    "forgone": ("Forgone", "逸失"),
    "expired": ("Expired", "失効"),
    "retired": ("Retired", "償却"),
    "returned": ("Returned", "戻入"),
    "adjusted": ("Adjusted", "調整"),
    "closing": ("Closing", "期末"),
    "order": ("Order", "注文"),
    "customer": ("Customer", "顧客"),
    "product": ("Product", "製品"),
    "claim": ("Claim", "主張"),
    "level": ("Level", "水準"),
    "before": ("CFP before", "適用前CFP"),
    "after": ("CFP after", "適用後CFP"),
    "certificates": ("Certificates", "証明書"),
    "lot": ("Lot", "ロット"),
    "quantity": ("Quantity", "数量"),
    "credited": ("Credited t", "算入質量 t"),
    "scopes": ("Reduction, scope 1 / 2 / 3", "削減量 スコープ1 / 2 / 3"),
    "proof": ("Scheme, certificate, evidence", "制度・証書・証拠"),
    "project": ("Project, verified by, on", "プロジェクト・検証者・検証日"),
    "site": ("Site", "拠点"),
    "expires": ("Received, expires", "受入日・有効期限"),
    "clause": ("Clause", "条項"),
    "subject": ("Subject", "対象"),
    "needed": ("Needed", "必要なもの"),
    "found": ("Found", "記録"),
    "who": ("By whom, when, how far", "検証者・日付・水準"),
    "missing": ("missing", "欠"),
    "present": ("present", "有"),
    "statement": ("statement", "記述"),
    "not applicable": ("not applicable", "対象外"),
    "details": ("Details", "内容"),
    "produced": ("Produced t", "生産 t"),
    "claimed_t": ("Claimed t", "主張 t"),
    "conventional": ("Conventional t", "従来 t"),
    "cfp_residual": ("CFP residual", "残余CFP"),
    "green": ("Green share", "グリーン比率"),
    "recycled": ("Recycled share", "リサイクル比率"),
    "correction": ("Correction", "補正"),
    "figure": ("Figure", "項目"),
    "none": ("None.", "なし。"),
    "withdrawn": ("withdrawn", "取下げ"),
    "cancelled": ("cancelled", "取消"),
    "all_lines": ("All lines, clause by clause", "全行（条項順）"),
    "every_lot": ("Every lot and effect", "全ロット・効果"),
    "totals": ("Totals of lots by unit", "単位別合計（ロット）"),
    "rounded": (
        "Shown to 0.001 of a unit; exact figures are in balances.csv, walks.csv and the ledger's rows.",
        "0.001単位で表示。正確な値は balances.csv、walks.csv と台帳の行にあります。",
    ),
    "more": (
        "Only the first claims are shown; all are in walks.csv.",
        "最初の主張のみ表示。全件は walks.csv にあります。",
    ),
    "identity": (
        "Identity: accounted = baseline - realised; "
        "claimed + conventional products - held - retired = accounted.",
        "恒等式：計上量＝ベースライン－実現量、主張製品＋従来製品－保有－償却＝計上量。",
    ),
    "how": (
        "python verify.py --key KEY-ID --checkpoint FILE in this folder; nothing but Python 3.9 or later "
        "is needed. README.txt says what is checked and what cannot be.",
        "このフォルダーで python verify.py --key 鍵ID --checkpoint FILE を実行（Python 3.9以上のみ必要）。"
        "検証の範囲は README.txt を参照。",
    ),
}
STYLE = """
:root{--ink:#16202b;--soft:#5b6875;--line:#d9dfe5;--back:#f6f8f9;--mark:#0b6e6e;--bad:#a4262c}
*{box-sizing:border-box}html{font:15px/1.5 system-ui,"Hiragino Sans","Noto Sans JP","Yu Gothic",sans-serif}
body{margin:0;color:var(--ink);background:#fff}main,header{max-width:78rem;margin:0 auto;padding:0 1.5rem}
header{padding-top:2rem}h1{font-size:1.9rem;margin:0}h2{font-size:1.25rem;margin:2.6rem 0 .6rem;
border-bottom:2px solid var(--mark);padding-bottom:.25rem}p{max-width:60rem}.soft{color:var(--soft)}
.lang{position:absolute;opacity:0}.pick{float:right;margin-left:.5rem;padding:.15rem .7rem;
border:1px solid var(--line);border-radius:1rem;cursor:pointer}
.ja{display:none}#ja:checked~* .ja{display:inline}#ja:checked~* .en{display:none}
#en:checked~header label[for=en],#ja:checked~header label[for=ja]{background:var(--mark);color:#fff}
#en:focus-visible~header label[for=en],#ja:focus-visible~header label[for=ja]{outline:3px solid var(--ink)}
nav{display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;margin:1rem 0}a{color:var(--mark)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(10.5rem,1fr));gap:.8rem;margin:1rem 0}
.tile{background:var(--back);padding:.8rem 1rem;border-radius:.4rem}.tile b{display:block;font-size:1.45rem}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.86rem}
th{text-align:left;font-weight:600;border-bottom:1px solid var(--ink);padding:.3rem .5rem;
vertical-align:bottom}
td{border-bottom:1px solid var(--line);padding:.28rem .5rem;vertical-align:top;overflow-wrap:break-word}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}code{font-size:.86em;overflow-wrap:anywhere}
details{margin:.35rem 0;border:1px solid var(--line);border-radius:.4rem;padding:.35rem .8rem}
summary{cursor:pointer}
.bad{color:var(--bad);font-weight:600}@media print{details{border:0}.pick,nav{display:none}}
"""


def words(key: str) -> str:
    """A word in both languages, of which the style shows one."""
    english, japanese = WORDS[key]
    return (
        f'<span class="en" lang="en">{html.escape(english)}</span>'
        f'<span class="ja" lang="ja">{html.escape(japanese)}</span>'
    )
