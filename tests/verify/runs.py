"""The handmade runs: one with scarce supply and tight duals, one with every kind of rule."""

from __future__ import annotations

from handmade import Handmade, Use

SETTINGS = 'name = "handmade"\nrules = "jaa-2026"\ncurrency = "USD"\n'

SCARCE = Handmade(
    # 100 t of green metal. Firm A (first) takes 80 t of it, firm B the last 20 t, C gets none though it
    # pays most: one t of green metal is worth 2.5 t of B, and 450 USD of C.
    settings=SETTINGS,
    tables={
        "periods": "period,start,end\nP1,2025-04-01,2025-06-30\n",
        "sites": "site,unit\nS1,U1\n",
        "lots": "lot,kind,category,site,received,quantity,uom,green_share\n"
        "G1,material,green,S1,2025-04-02,60,t,1\nG2,material,green,S1,2025-05-01,40,t,1\n",
        "alloys": "alloy,category,max_share\n6063,green,0.9\n",
        "products": "product,name,alloy,site,s1,s2,s3\nX,billet,6063,S1,1,1,8\n",
        "production": "product,period,mass_t\nX,P1,1000\n",
        "orders": "order,customer,product,period,mass_t,claim,level,premium_per_t,priority,firm\n"
        "A,c1,X,P1,200,green_share,0.4,10,1,true\n"
        "B,c2,X,P1,100,green_share,0.4,100,2,true\n"
        "C,c3,X,P1,100,green_share,0.2,90,1,false\n",
    },
    uses=[
        Use("G1", "A", "60", rate="1"), Use("G2", "A", "20", rate="1"), Use("G2", "B", "20", rate="1"),
    ],
    claimed={"A": "200", "B": "50"},
    goals=[("firm_shortfall_t", 1, "0"), ("firm_shortfall_t", 2, "50"), ("margin", None, "7000")],
    pools={"G1": "G1", "G2": "G1"},
    recipes={"A": "A", "B": "A", "C": "C"},
    duals=[
        "firm_shortfall:2,pool_balance,G1,P1,2.5",
        "firm_shortfall:2,claim,A,,2.5",
        "firm_shortfall:2,goal_hold,firm_shortfall:1,,1",
        "margin,pool_balance,G1,P1,450",
        "margin,claim,A,,450",
        "margin,claim,C,,450",
        "margin,goal_hold,firm_shortfall:1,,170",
        "margin,goal_hold,firm_shortfall:2,,80",
    ],
)  # fmt: skip

MIXED = Handmade(
    # Material, energy and projects; a shared origin, composition, gases, schemes, offers, whole, fill.
    # Right in every row, but not the best there is.
    settings=SETTINGS,
    tables={
        "periods": "period,start,end\nP1,2025-04-01,2025-06-30\nP2,2025-07-01,2025-09-30\n",
        "sites": "site,unit,electricity_tco2e_per_mwh,heat_tco2e_per_gj\nS1,U1,0.5,0.06\nS2,U2,0.5,\n",
        "lots": "lot,kind,category,site,received,expires,quantity,uom,intensity_tco2e_per_uom,green_share,"
        "recycled_pre,recycled_post,scopes,scheme,origin,unit_cost,gas\n"
        "E1,energy,power,S1,2025-04-01,2025-12-31,300,MWh,0.02,,,,,,,0.5,GHG\n"
        "H1,energy,heat,S1,2025-04-01,2025-12-31,100,GJ,0,,,,,,,,GHG\n"
        "L0,material,prime,S1,2025-01-01,2025-03-31,10,t,4,,,,,,,,GHG\n"
        "R1,material,scrap,S1,2025-04-10,2025-12-31,60,t,0.6,,0.2,0.7,,ASI,,5,GHG\n"
        "R2,material,prime,S1,2025-04-10,2025-12-31,100,t,3.5,1,,,,ISCC,W,,CO2\n"
        "R3,material,prime,S1,2025-04-10,2025-12-31,100,t,4,0.9,,,,ISCC,W,,CO2\n"
        "R4,material,prime,S2,2025-04-10,2025-12-31,100,t,,1,,,,ISCC,,,CO2\n"
        "V1,project,save,S1,2025-04-01,2025-06-30,200,tCO2e,,,,,1+2,,,,GHG\n"
        "V2,project,save,S1,2025-04-01,2025-12-31,50,tCO2e,,,,,1,,,,CO2\n",
        "alloys": "alloy,category,max_share\n3003,scrap,0.8\n6063,prime,1\n6063,scrap,0.4\n",
        "composition": "key,element,wt_pct\nbase,Fe,0.1\nscrap,Fe,0.6\nR1,Fe,0.5\n",
        "alloy_limits": "alloy,element,max_wt_pct,min_wt_pct\n6063,Fe,0.3,\n",
        "products": "product,name,alloy,site,s1,s2,s3,metal_tco2e_per_t,t_product_per_t_input,"
        "electricity_mwh_per_t,heat_gj_per_t,gas\n"
        "X,billet,6063,S1,1.2,0.8,8,9,0.95,2,1,GHG\nY,profile,6063,S1,1,0.5,7,9,1,,,CO2\n"
        "Z,sheet,3003,S1,1,0.5,7,9,1,,,GHG\n",
        "production": "product,period,mass_t\nX,P1,500\nX,P2,500\nY,P1,200\nY,P2,200\nZ,P1,50\n",
        "orders": "order,customer,product,period,mass_t,claim,level,premium_per_t,firm,whole,min_fill,"
        "schemes\n"
        "A1,c1,X,P1,100,recycled_share,0.3,40,true,,,ASI\n"
        "A2,c1,X,P1,50,reduction,3,100,,true,,\n"
        "A3,c2,Y,P2,80,green_share,0.6,20,,,0.5,\n"
        "A4,c2,X,P2,60,cfp,9.2,30,,,,\n"
        "A5,c3,X,P2,10,cfp,9.95,12,,,,\n"
        "A6,c3,Y,P1,30,reduction,0.5,8,,,0.2,\n"
        "A7,c4,Y,P1,20,green_share,0.9,9,,,,XYZ\n"
        "A8,c4,Z,P1,10,post_consumer_share,0.5,9,,,,\n",
        "offers": "order,offer,claim,level,premium_per_t\nA2,a,reduction,1.5,60\nA2,b,green_share,0.5,70\n"
        "A3,o1,green_share,0.3,15\n",
        "projects": "project,computation_start,computation_end\n",
    },
    uses=[
        Use("R1", "A1", "35.08772", unit="8.4", rate="0.95"),
        Use("V1", "A2", "100", "tCO2e", scopes=("60", "40", "0")),
        Use("R2", "A2", "9.09091", unit="5.5", rate="0.95"),
        Use("R3", "A3/o1", "26.666667", unit="5", rate="1"),
        Use("E1", "A4", "100", "MWh", unit="0.48", scope=2),
        Use("H1", "A5", "8.333334", "GJ", unit="0.06", scope=1),
        Use("V2", "A6", "15", "tCO2e", scopes=("15", "0", "0")),
        Use("R1", "A8", "7.142858", unit="8.4", rate="1"),
    ],
    claimed={
        "A1": "100", "A2": "50", "A3/o1": "80", "A4": "60", "A5": "10", "A6": "30", "A8": "10",
    },
    goals=[("firm_shortfall_t", 1, "0"), ("margin", None, "12188.84711")],
    pools={name: name for name in ("E1", "H1", "R1", "R2", "R3", "R4", "V1", "V2")},
    recipes={
        name: name for name in ("A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A2/a", "A2/b", "A3/o1")
    },
    duals=["margin,claim,A1,,1", "margin,mass_cap,A1,,0.5", "margin,origin_once,W,,3"],
    status="limit",
)  # fmt: skip
