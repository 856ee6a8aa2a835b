. @DIR@/lib.sh
# h NAME PORT MODE FAILWORD  (col.sh run after put); then verify
h() { new $1; cp ../f1/migc.yaml ../f2/tool.mig .; python3 ../srv.py $2 $3 & SP=$!; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do curl -s -o /dev/null http://127.0.0.1:$2/ping && break; sleep 0.4; done
 U=http://127.0.0.1:$2/d; [ -n "$PRIOR" ] && curl -s -X PUT -H 'X-Colleague: 1' -d "$PRIOR" $U >/dev/null
 cat > s.mig <<X
use "tool.mig";
stage staging < ${STEP:-http put \"$U\" with body \"w.json\";} colleague "col.sh"; verify value of "w.json" at "/ok" is $4 within 1s; > on failure undo;
X
 sed -i "s#URL#$U#g" s.mig
 sed -i "s#colleague \"col.sh\"#colleague \"$PWD/col.sh\"#" s.mig
 echo "${WANT:-{ \"a\": 2, \"ok\": 1 \}}" > w.json; sed -i 's/\\}/}/' w.json; echo "U=$U; $COL" > col.sh; m run s.mig; echo "server has: $(curl -s $U)"; }
stop() { kill $SP; wait $SP 2>/dev/null; }
