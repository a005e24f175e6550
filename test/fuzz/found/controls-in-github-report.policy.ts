import{edge}from"tidegate"//
export default edge({uplinks:[],anycast:[""],owners:{e:[""]}})